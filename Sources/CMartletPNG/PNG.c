#include "CMartletPNG.h"
