// Functions of glibc's malloc.h that Swift cannot import. With other C libraries they do nothing.

#ifndef NNMONITOR_CALLOCATOR_SHIM_H
#define NNMONITOR_CALLOCATOR_SHIM_H

#include <stdlib.h>

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
#define NN_HAS_MALLINFO2
#include <malloc.h>
#endif
#endif

// Allocated bytes that have not been freed; -1 if the allocator does not report them.
static inline long nn_allocated_bytes(void) {
#ifdef NN_HAS_MALLINFO2
    struct mallinfo2 info = mallinfo2();
    return (long)(info.uordblks + info.hblkhd);
#else
    return -1;
#endif
}

// Returns all free pages to the system.
static inline void nn_return_free_pages(void) {
#ifdef NN_HAS_MALLINFO2
    malloc_trim(0);
#endif
}

// Each arena keeps up to `kept` free bytes at its top. Blocks of at least `large` bytes get their own mapping.
static inline void nn_set_thresholds(int kept, int large) {
#ifdef NN_HAS_MALLINFO2
    mallopt(M_TRIM_THRESHOLD, kept);
    mallopt(M_MMAP_THRESHOLD, large);
#else
    (void)kept;
    (void)large;
#endif
}

#endif
