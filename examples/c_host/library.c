#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int find(void* handle, const char* name, void* function) {
  /* ISO C has no conversion from an object pointer to a function pointer; POSIX says that they look alike. */
  void* const address = dlsym(handle, name);
  if (address == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  memcpy(function, &address, sizeof(address));
  return 0;
}

int library_open(struct library* library, const char* path) {
  library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library->handle == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  int missing = 0;
#define FIND(result, name, parameters) missing |= find(library->handle, #name, &library->name);
  FOR_EACH_FUNCTION(FIND)
#undef FIND
  if (missing) library_close(library);
  return missing;
}

void library_close(struct library* library) { dlclose(library->handle); }
