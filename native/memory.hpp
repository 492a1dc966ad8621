// One block of memory for a whole call: first measured, then cut up. Nothing is allocated after the first step.

struct Arena {
    char *base = nullptr;
    size_t used = 0;

    // Room for `count` numbers on a cache line of their own; null while measuring.
    template <class U> U *take(int64_t count) {
        U *here = base ? reinterpret_cast<U *>(base + used) : nullptr;
        used += (size_t(count) * sizeof(U) + 63) / 64 * 64;
        return here;
    }
};

// Call `plan(arena)` twice: to measure, then on memory of that size. False if there is none to be had.
template <class Plan> bool allocate(Arena &arena, Plan plan) {
    arena = Arena();
    plan(arena);
    const size_t size = arena.used ? arena.used : 64;
    arena.base = static_cast<char *>(__builtin_malloc(size + 64));
    if (!arena.base) return false;
    char *block = arena.base;
    arena.base = block + (64 - reinterpret_cast<uintptr_t>(block) % 64);
    arena.base[-1] = char(arena.base - block);  // where the block begins
    arena.used = 0;
    plan(arena);
    return true;
}

inline void release(Arena &arena) {
    if (arena.base) __builtin_free(arena.base - static_cast<unsigned char>(arena.base[-1]));
    arena.base = nullptr;
}
