// The whole engine, compiled once for each instruction set: what an isa_*.cpp consists of.
//
// Everything is inside an anonymous namespace, so that the linker can't take a function compiled for one processor for
// the same one compiled for another. No standard library for the same reason: builtins only.

#include <stdint.h>
#include <stddef.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "task.hpp"

#define GLASSMAX_ENGINE(NAME)                                                                        \
    namespace glassmax {                                                                             \
    const Engine &engine_##NAME() {                                                                  \
        static constexpr Engine engine = {#NAME,                                                     \
                                          {Run<float>::epoch, Run<double>::epoch},                   \
                                          {Run<float>::open_session, Run<double>::open_session},     \
                                          {Run<float>::begin_epoch, Run<double>::begin_epoch},       \
                                          {Run<float>::take_steps, Run<double>::take_steps},         \
                                          {Run<float>::settle, Run<double>::settle},                 \
                                          {Run<float>::gradient, Run<double>::gradient},             \
                                          {Run<float>::forward, Run<double>::forward},               \
                                          {Run<float>::summary, Run<double>::summary},               \
                                          {layer_call<float>, layer_call<double>}};                  \
        return engine;                                                                               \
    }                                                                                                \
    }

namespace glassmax {
namespace {

constexpr double WORTH_A_THREAD = 1.25e5;  // flops of float32 for each lane: about 20 microseconds
constexpr double WORTH_AN_ITEM = 4e6;      // flops: some ten microseconds
constexpr double WORTH_A_LOOK = 1e8;       // flops between two looks at whether to stop: some milliseconds
constexpr int64_t MOST_KEPT = int64_t(1) << 24;  // parameters whose state before an epoch is kept
constexpr int64_t FEW = 8;  // rows that are predicted one at a time
#if defined(__wasm__)
constexpr bool MANY_CLASSES = false;  // a page has few, and is to be small
#else
constexpr bool MANY_CLASSES = true;
#endif
constexpr int64_t MOST_SPANS = int64_t(1) << 19;  // items of a phase: Team has room for twice as many

#include "simd.hpp"
#include "mathematics.hpp"
#include "activations.hpp"
#include "heads.hpp"
#include "products.hpp"
#include "memory.hpp"
#include "layers.hpp"
#include "optimizers.hpp"
#include "embedding.hpp"
#include "class_tiles.hpp"
#include "batch.hpp"
#include "inputs.hpp"
#include "rows.hpp"
#include "weights.hpp"
#include "layer_arrays.hpp"
#include "classes.hpp"
#include "single_row.hpp"
#include "scaled.hpp"
#include "run.hpp"
#include "layer_call.hpp"

}  // namespace
}  // namespace glassmax
