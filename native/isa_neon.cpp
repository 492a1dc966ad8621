#include "unit.hpp"

GLASSMAX_ENGINE(neon)
