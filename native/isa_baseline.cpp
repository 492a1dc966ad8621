#include "unit.hpp"

GLASSMAX_ENGINE(baseline)
