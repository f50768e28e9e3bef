/* A memory allocator that fails once: loaded before the C library (LD_PRELOAD), it lets allocation number
 * $FAILING_MALLOC of the process return nothing, counts the blocks that live, and at the end writes "<allocations>
 * <living blocks>" to the file that $FAILING_MALLOC_REPORT names. Failing one in a row is what finds mistakes: code
 * that gives up once goes on to release what it has, which takes memory, too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

static atomic_long allocations, living, failing = -1;

static int fails(void) {
  const long number = atomic_fetch_add(&allocations, 1) + 1;
  if (number != atomic_load(&failing)) return 0;
  errno = ENOMEM;
  return 1;
}

static void* counted(void* block) {
  if (block != NULL) atomic_fetch_add(&living, 1);
  return block;
}

void* malloc(size_t size) { return fails() ? NULL : counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return fails() ? NULL : counted(__libc_calloc(count, size)); }
void* memalign(size_t alignment, size_t size) { return fails() ? NULL : counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  void* const made = memalign(alignment, size);
  if (made == NULL) return ENOMEM;
  *block = made;
  return 0;
}

void* realloc(void* block, size_t size) {
  if (fails()) return NULL;
  if (block != NULL) return __libc_realloc(block, size);
  return counted(__libc_realloc(NULL, size));
}

void free(void* block) {
  if (block == NULL) return;
  atomic_fetch_sub(&living, 1);
  __libc_free(block);
}

__attribute__((constructor)) static void begin(void) {
  const char* number = getenv("FAILING_MALLOC");
  if (number != NULL) atomic_store(&failing, atol(number));
}

__attribute__((destructor)) static void report(void) {
  const char* path = getenv("FAILING_MALLOC_REPORT");
  if (path == NULL) return;
  char text[64];
  const int length = snprintf(text, sizeof(text), "%ld %ld\n", atomic_load(&allocations), atomic_load(&living));
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return;
  if (write(file, text, (size_t)length) < 0) abort();
  close(file);
}
