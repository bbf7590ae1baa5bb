// What Swift cannot import from glibc's malloc.h. Elsewhere nothing is known, and nothing is done.

#ifndef NNMONITOR_CALLOCATOR_SHIM_H
#define NNMONITOR_CALLOCATOR_SHIM_H

#include <stdlib.h>

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
#define NN_HAS_MALLINFO2
#include <malloc.h>
#endif
#endif

// Bytes that the program has allocated and not freed; -1 where the allocator does not tell.
static inline long nn_allocated_bytes(void) {
#ifdef NN_HAS_MALLINFO2
    struct mallinfo2 info = mallinfo2();
    return (long)(info.uordblks + info.hblkhd);
#else
    return -1;
#endif
}

// Gives whole pages that hold nothing back to the system.
static inline void nn_give_back_free_pages(void) {
#ifdef NN_HAS_MALLINFO2
    malloc_trim(0);
#endif
}

// Each arena keeps so many freed bytes at its end; blocks of `large` bytes are taken from the system one by one.
static inline void nn_keep_freed(int kept, int large) {
#ifdef NN_HAS_MALLINFO2
    mallopt(M_TRIM_THRESHOLD, kept);
    mallopt(M_MMAP_THRESHOLD, large);
#else
    (void)kept;
    (void)large;
#endif
}

#endif
