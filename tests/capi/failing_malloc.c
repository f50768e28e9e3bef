/* A memory allocator that fails, for trials of what happens then: loaded before the C library (LD_PRELOAD), it counts
 * the allocations of the process and the blocks that live, and at the end writes "<allocations> <living blocks>" to the
 * file that $FAILING_MALLOC_REPORT names. Failing one allocation in a row is what finds mistakes: code that gives up
 * once goes on to release what it has, which takes memory, too.
 *
 * $FAILING_MALLOC=N: allocation number N returns nothing.
 *
 * $FAILING_MALLOC_SWEEP=FIRST:STEP:FOLDER, for processes of one thread: at allocation FIRST and every STEP-th behind it
 * the process forks. In the child this allocation returns nothing, and the child runs on to its end, two minutes at
 * most, while the process waits and then goes on as if nothing had been: files of FOLDER, to which it writes, are put
 * back. So all allocations of a run fail at the cost of what comes behind each failure. Of every child a line
 * "<number> <exit status or -signal> <living blocks> <size>" and `size` bytes of output are appended to FOLDER.trials;
 * living blocks are -1 where it did not come to its end. The output ends with "left file: <name>" for each new file.
 *
 * A lock that knows its owner by number (pthread_rwlock_t) is not released in a child that was forked inside. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

enum { kSecondsOfTrial = 120 };

static atomic_long allocations, living, failing = -1;

/* A sweep; `step` 0: none. */
static struct {
  long first, step;
  int in_child;
  int own_work;       /* allocations now are not those of the program */
  int output;         /* what the child says */
  int results;        /* where the results go */
  long* child_living; /* in memory that both processes see */
  const char* folder;
  char kept[PATH_MAX]; /* where the folder's files have a second name during a trial */
} sweep;

static void check(int fine, const char* what) {
  if (fine) return;
  perror(what);
  _exit(99);
}

static void write_all(int file, const char* bytes, ssize_t size) {
  while (size > 0) {
    const ssize_t written = write(file, bytes, (size_t)size);
    check(written > 0, "write");
    bytes += written;
    size -= written;
  }
}

typedef void (*file_function)(const char* name, const char* here, const char* kept);

/* Calls `function` for every file of `folder` with its name, its path in the folder and that among the kept files. */
static void for_each_file(const char* folder, file_function function) {
  DIR* const directory = opendir(folder);
  check(directory != NULL, folder);
  for (const struct dirent* entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    char here[2 * PATH_MAX], kept[2 * PATH_MAX];
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(here, sizeof(here), "%s/%s", sweep.folder, entry->d_name);
    snprintf(kept, sizeof(kept), "%s/%s", sweep.kept, entry->d_name);
    function(entry->d_name, here, kept);
  }
  closedir(directory);
}

static void keep(const char* name, const char* here, const char* kept) {
  (void)name;
  check(link(here, kept) == 0, "link");
}

static void remove_new(const char* name, const char* here, const char* kept) {
  if (access(kept, F_OK) != 0) dprintf(sweep.output, "left file: %s\n", name);
  check(unlink(here) == 0, "unlink");
}

static void put_back(const char* name, const char* here, const char* kept) {
  (void)name;
  check(rename(kept, here) == 0, "rename");
}

static void record(long number, int status) {
  char buffer[4096];
  const long size = (long)lseek(sweep.output, 0, SEEK_END);
  const int length = snprintf(buffer, sizeof(buffer), "%ld %d %ld %ld\n", number,
                              WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), *sweep.child_living, size);
  write_all(sweep.results, buffer, length);
  check(lseek(sweep.output, 0, SEEK_SET) == 0, "lseek");
  ssize_t got = 0;
  while ((got = read(sweep.output, buffer, sizeof(buffer))) > 0) write_all(sweep.results, buffer, got);
}

/* Not 0 in the child, whose allocation is to fail. */
static int fork_for_trial(long number) {
  const int error = errno;
  sweep.own_work = 1;
  for_each_file(sweep.folder, keep);
  *sweep.child_living = -1;
  check(ftruncate(sweep.output, 0) == 0, "ftruncate");
  const pid_t child = fork();
  check(child >= 0, "fork");
  if (child == 0) {
    sweep.in_child = 1;
    sweep.own_work = 0;
    check(dup2(sweep.output, STDOUT_FILENO) >= 0 && dup2(sweep.output, STDERR_FILENO) >= 0, "dup2");
    alarm(kSecondsOfTrial);
    return 1;
  }
  int status = 0;
  check(waitpid(child, &status, 0) == child, "waitpid");
  for_each_file(sweep.folder, remove_new);
  for_each_file(sweep.kept, put_back);
  record(number, status);
  sweep.own_work = 0;
  errno = error;
  return 0;
}

static int fails(void) {
  if (sweep.own_work) return 0;
  const long number = atomic_fetch_add(&allocations, 1) + 1;
  int fail = number == atomic_load(&failing);
  if (sweep.step > 0 && !sweep.in_child && number >= sweep.first && (number - sweep.first) % sweep.step == 0) {
    fail |= fork_for_trial(number);
  }
  if (fail) errno = ENOMEM;
  return fail;
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

static void begin_sweep(const char* request) {
  int at = 0;
  check(sscanf(request, "%ld:%ld:%n", &sweep.first, &sweep.step, &at) == 2 && at > 0, "FAILING_MALLOC_SWEEP");
  sweep.folder = request + at;
  snprintf(sweep.kept, sizeof(sweep.kept), "%s.kept", sweep.folder);
  check(mkdir(sweep.kept, 0700) == 0, sweep.kept);
  char results[PATH_MAX + 16];
  snprintf(results, sizeof(results), "%s.trials", sweep.folder);
  sweep.output = memfd_create("output", 0);
  check(sweep.output >= 0, "memfd_create");
  check(fcntl(sweep.output, F_SETFL, O_APPEND) == 0, "fcntl");
  sweep.results = open(results, O_WRONLY | O_CREAT | O_APPEND, 0600);
  check(sweep.results >= 0, "open");
  sweep.child_living = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(sweep.child_living != MAP_FAILED, "mmap");
}

__attribute__((constructor)) static void begin(void) {
  const char* number = getenv("FAILING_MALLOC");
  if (number != NULL) atomic_store(&failing, atol(number));
  const char* request = getenv("FAILING_MALLOC_SWEEP");
  if (request != NULL) begin_sweep(request);
}

__attribute__((destructor)) static void report(void) {
  if (sweep.in_child) {
    *sweep.child_living = atomic_load(&living);
    return;
  }
  const char* path = getenv("FAILING_MALLOC_REPORT");
  if (path == NULL) return;
  char text[64];
  const int length = snprintf(text, sizeof(text), "%ld %ld\n", atomic_load(&allocations), atomic_load(&living));
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return;
  write_all(file, text, length);
  close(file);
}
