/* Memory for the library from the host, which counts what it gives. */
#ifndef QLITE_EXAMPLES_C_HOST_COUNTING_ALLOCATOR_H_
#define QLITE_EXAMPLES_C_HOST_COUNTING_ALLOCATOR_H_

#include <pthread.h>

#include "qlite.h"

struct memory_account {
  pthread_mutex_t mutex; /* guards the rest */
  long allocations;      /* made so far */
  long living;           /* blocks that were not given back yet */
  size_t bytes, most_bytes;
};

/* An allocator that keeps this account, which must outlive it. */
qlite_allocator counting_allocator(struct memory_account* account);

#endif /* QLITE_EXAMPLES_C_HOST_COUNTING_ALLOCATOR_H_ */
