#ifndef NNMONITOR_CZLIB_SHIM_H
#define NNMONITOR_CZLIB_SHIM_H

#include <zlib.h>

#endif
