/* To be preloaded: counts calls of malloc, and prints their number at the end on standard error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_ulong count;

void *malloc(size_t size) {
    static void *(*next)(size_t);
    if (!next) next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    count++;
    return next(size);
}

__attribute__((destructor)) static void tell(void) { fprintf(stderr, "%lu\n", count); }
