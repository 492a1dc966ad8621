#include "unit.hpp"

GLASSMAX_ENGINE(avx512)
