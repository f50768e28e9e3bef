/* Links the C interface at build time. */
#include <qlite.h>
#include <stdio.h>

int main(void) {
  qlite_context* context = NULL;
  if (qlite_context_create(QLITE_ABI_VERSION, NULL, &context, NULL) != QLITE_OK) return 1;
  printf("%s\n", qlite_version_string());
  return qlite_context_release(context) == QLITE_OK ? 0 : 1;
}
