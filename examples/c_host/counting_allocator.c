#define _POSIX_C_SOURCE 200112L
#include "counting_allocator.h"

#include <stdlib.h>

/* Whether there is to be memory for the next allocation. */
static int take_in(struct memory_account* account, size_t size) {
  pthread_mutex_lock(&account->mutex);
  const int fails = ++account->allocations == account->fail_at;
  if (!fails) {
    ++account->living;
    account->bytes += size;
    if (account->bytes > account->most_bytes) account->most_bytes = account->bytes;
  }
  pthread_mutex_unlock(&account->mutex);
  return !fails;
}

static void take_out(struct memory_account* account, size_t size) {
  pthread_mutex_lock(&account->mutex);
  --account->living;
  account->bytes -= size;
  pthread_mutex_unlock(&account->mutex);
}

static void* allocate(void* user, size_t size, size_t alignment) {
  void* block = NULL;
  if (!take_in(user, size)) return NULL;
  if (posix_memalign(&block, alignment, size) == 0) return block;
  take_out(user, size);
  return NULL;
}

static void deallocate(void* user, void* block, size_t size) {
  take_out(user, size);
  free(block);
}

qlite_allocator counting_allocator(struct memory_account* account) {
  const qlite_allocator allocator = {sizeof(allocator), account, allocate, deallocate};
  return allocator;
}
