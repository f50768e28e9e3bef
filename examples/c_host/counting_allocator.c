#define _POSIX_C_SOURCE 200112L
#include "counting_allocator.h"

#include <stdlib.h>

static void take_in(struct memory_account* account, size_t size) {
  pthread_mutex_lock(&account->mutex);
  ++account->allocations;
  ++account->living;
  account->bytes += size;
  if (account->bytes > account->most_bytes) account->most_bytes = account->bytes;
  pthread_mutex_unlock(&account->mutex);
}

static void take_out(struct memory_account* account, size_t size) {
  pthread_mutex_lock(&account->mutex);
  --account->living;
  account->bytes -= size;
  pthread_mutex_unlock(&account->mutex);
}

static void* allocate(void* user, size_t size, size_t alignment) {
  void* block = NULL;
  if (posix_memalign(&block, alignment, size) != 0) return NULL;
  take_in(user, size);
  return block;
}

static void deallocate(void* user, void* block, size_t size) {
  take_out(user, size);
  free(block);
}

qlite_allocator counting_allocator(struct memory_account* account) {
  const qlite_allocator allocator = {sizeof(allocator), account, allocate, deallocate};
  return allocator;
}
