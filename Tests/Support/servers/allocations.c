/* To be preloaded: counts a process's allocations. The file that the environment's ALLOCATIONS names holds three 64-bit
 * numbers, always up to date: calls of the allocator, bytes in use (as the allocator hands them out), and the largest
 * number of bytes in use so far. A reader may set the third one back to the second. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

struct counts {
    atomic_ullong calls;
    atomic_llong bytes;
    atomic_llong peak;
};
static struct counts before;
static struct counts *counts = &before;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("ALLOCATIONS");
    int file = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *counts)) return;
    void *shared = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared == MAP_FAILED) return;
    struct counts *made = shared;
    made->calls = before.calls;
    made->bytes = before.bytes;
    made->peak = before.peak;
    counts = made;
}

static void *counted(void *memory) {
    if (!memory) return memory;
    counts->calls++;
    long long size = (long long)malloc_usable_size(memory);
    long long bytes = atomic_fetch_add(&counts->bytes, size) + size;
    long long peak = counts->peak;
    while (bytes > peak && !atomic_compare_exchange_weak(&counts->peak, &peak, bytes)) {}
    return memory;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }
void *calloc(size_t number, size_t size) { return counted(__libc_calloc(number, size)); }
void *memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = counted(__libc_memalign(alignment, size));
    return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
    if (memory) counts->bytes -= (long long)malloc_usable_size(memory);
    __libc_free(memory);
}

void *realloc(void *memory, size_t size) {
    long long old = memory ? (long long)malloc_usable_size(memory) : 0;
    void *moved = __libc_realloc(memory, size);
    if (moved || size == 0) counts->bytes -= old;
    return counted(moved);
}
