#include "CMartletJPEG.h"
