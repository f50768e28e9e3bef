/* A host in C99 that opens libqlite.so at run time and goes from a model and a folder of pictures to an int8 file,
 * which it then runs on the first picture.
 *
 *   c_host LIBRARY MODEL FOLDER OUTPUT [resize=WxH] [shorter=N] [crop=WxH] [count=N] [threads=N] [method=NAME]
 * [step=NAME] [allocator=counting] [repeat=N]
 *
 * Pictures are taken as RGB, x / 127.5 - 1. The method may be MEAN_EXTREMES and the step CLAMP, which are this host's
 * own. With the same settings the file has the same bytes as that of qlite_convert.
 *
 * allocator=counting: the library, which must be a self-contained one, takes its memory from this host, which tells at
 * the end how much it was. repeat=N: all of it N times, from opening the library to closing it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clamp_step.h"
#include "counting_allocator.h"
#include "library.h"
#include "mean_extremes.h"

struct request {
  const char *library, *model, *folder, *output;
  const char *method, *step;
  qlite_image_options images;
  int64_t count;
  int32_t threads;
  int counts_memory;
  long repeat;
};

/* Everything the host holds; NULL where it does not exist (yet). */
struct work {
  struct library q;
  qlite_context* context;
  qlite_graph *model, *int8, *file;
  qlite_data_set *pictures, *data;
  qlite_quantizer* quantizer;
  qlite_quantization_result* result;
  qlite_calibration_table* table;
  qlite_session* session;
};

/* Passes failures on. */
#define TRY(call)                            \
  do {                                       \
    const qlite_status status_ = (call);     \
    if (status_ != QLITE_OK) return status_; \
  } while (0)

static void print_log(void* user, qlite_log_level level, const char* message) {
  (void)user;
  fprintf(stderr, "[%d] %s\n", (int)level, message);
}

static qlite_status make_context(struct work* w, const struct request* r) {
  qlite_context_options options;
  TRY(w->q.qlite_context_options_init(&options, sizeof(options)));
  options.num_threads = r->threads;
  options.log = print_log;
  qlite_error* error = NULL;
  const qlite_status status = w->q.qlite_context_create(QLITE_ABI_VERSION, &options, &w->context, &error);
  if (error != NULL) {
    qlite_error_info info = {.struct_size = sizeof(info)};
    if (w->q.qlite_error_get(error, &info) == QLITE_OK) fprintf(stderr, "%s\n", info.message);
    w->q.qlite_error_release(error);
  }
  if (status != QLITE_OK) return status;
  TRY(w->q.qlite_context_register_observer(w->context, "MEAN_EXTREMES", &mean_extremes));
  return w->q.qlite_context_register_preprocessor(w->context, "CLAMP", &clamp_step);
}

static qlite_status open_pictures(struct work* w, const struct request* r) {
  const qlite_data_target target = {.struct_size = sizeof(target), .graph = w->model};
  TRY(w->q.qlite_data_set_open_images(&target, r->folder, r->count, &r->images, &w->pictures));
  /* Without a step the samples go as they are. */
  if (r->step == NULL) return QLITE_OK;
  return w->q.qlite_data_set_preprocess(w->pictures, r->step, NULL, 0, &w->data);
}

static const qlite_data_set* samples(const struct work* w) { return w->data != NULL ? w->data : w->pictures; }

static qlite_status print_account(const struct work* w) {
  qlite_quantization_info info = {.struct_size = sizeof(info)};
  TRY(w->q.qlite_quantization_result_get_info(w->result, &info));
  size_t integer = 0;
  for (size_t i = 0; i < info.node_count; ++i) {
    qlite_node_outcome node = {.struct_size = sizeof(node)};
    TRY(w->q.qlite_quantization_result_get_node(w->result, i, &node));
    if (node.integer)
      ++integer;
    else
      printf("  float: %s '%s': %s\n", node.op, node.name, node.reason);
  }
  printf("%zu of %zu nodes run in integers\n", integer, info.node_count);
  return QLITE_OK;
}

static qlite_status quantize(struct work* w, const struct request* r) {
  qlite_quantizer_options options;
  TRY(w->q.qlite_quantizer_options_init(&options, sizeof(options)));
  options.activation_method = r->method;
  TRY(w->q.qlite_quantizer_create(w->context, &options, &w->quantizer));
  TRY(w->q.qlite_quantizer_run(w->quantizer, w->model, samples(w), NULL, &w->result));
  TRY(w->q.qlite_quantization_result_graph(w->result, &w->int8));
  TRY(w->q.qlite_quantization_result_table(w->result, &w->table));
  return print_account(w);
}

static qlite_status save(const struct work* w, const struct request* r) {
  qlite_calibration_info calibration = {.struct_size = sizeof(calibration)};
  TRY(w->q.qlite_calibration_table_get_info(w->table, &calibration));
  uint64_t model = 0;
  TRY(w->q.qlite_graph_fingerprint(w->model, &model));
  char model_hash[17], data_hash[17], sample_count[24];
  snprintf(model_hash, sizeof(model_hash), "%016" PRIx64, model);
  snprintf(data_hash, sizeof(data_hash), "%016" PRIx64, calibration.data_fingerprint);
  snprintf(sample_count, sizeof(sample_count), "%" PRId64, calibration.samples_done);
  const qlite_manifest_entry manifest[] = {{"model_hash", model_hash},
                                           {"quantization", "FULL_QUANT"},
                                           {"activation_quant_method", r->method},
                                           {"per_channel", "true"},
                                           {"bias_correction", "true"},
                                           {"equalization", "true"},
                                           {"calibration_samples", sample_count},
                                           {"data_hash", data_hash}};
  qlite_export_options options;
  TRY(w->q.qlite_export_options_init(&options, sizeof(options)));
  options.manifest = manifest;
  options.manifest_count = sizeof(manifest) / sizeof(manifest[0]);
  options.check_data = samples(w);
  return w->q.qlite_graph_save(w->context, w->int8, r->output, &options);
}

/* Runs the file on the first picture and prints the first choice. */
static qlite_status run(struct work* w, const struct request* r) {
  TRY(w->q.qlite_graph_load(w->context, r->output, QLITE_FORMAT_AUTO, &w->file));
  TRY(w->q.qlite_session_create(w->context, w->file, NULL, &w->session));
  qlite_sample_buffer input, output;
  TRY(w->q.qlite_session_get_input(w->session, 0, &input));
  TRY(w->q.qlite_data_set_read(samples(w), 0, &input.data, &input.size, 1));
  TRY(w->q.qlite_session_run(w->session));
  TRY(w->q.qlite_session_get_output(w->session, 0, &output));
  if (output.type != QLITE_FLOAT32) return QLITE_UNIMPLEMENTED;
  const float* scores = output.data;
  size_t best = 0;
  for (size_t i = 1; i < output.size / sizeof(float); ++i) best = scores[i] > scores[best] ? i : best;
  printf("first picture: class %zu with %g\n", best, (double)scores[best]);
  return QLITE_OK;
}

static void print_failure(const struct work* w, qlite_status status) {
  fprintf(stderr, "%s\n", w->q.qlite_status_name(status));
  qlite_error* error = NULL;
  if (w->q.qlite_last_error(w->context, &error) != QLITE_OK) return;
  qlite_error_info info = {.struct_size = sizeof(info)};
  if (w->q.qlite_error_get(error, &info) == QLITE_OK) {
    fprintf(stderr, "%s\n", info.message);
    if (*info.file != '\0') fprintf(stderr, "file: %s\n", info.file);
    if (*info.node != '\0') fprintf(stderr, "node: %s\n", info.node);
    if (*info.value != '\0') fprintf(stderr, "value: %s\n", info.value);
  }
  w->q.qlite_error_release(error);
}

static qlite_status convert(struct work* w, const struct request* r) {
  TRY(make_context(w, r));
  TRY(w->q.qlite_graph_load(w->context, r->model, QLITE_FORMAT_AUTO, &w->model));
  TRY(open_pictures(w, r));
  TRY(quantize(w, r));
  TRY(save(w, r));
  return run(w, r);
}

/* Handles may be released in any order; one that does not exist is an error, which is of no interest here. */
static void release(struct work* w) {
  w->q.qlite_context_release(w->context);
  w->q.qlite_graph_release(w->model);
  w->q.qlite_graph_release(w->int8);
  w->q.qlite_graph_release(w->file);
  w->q.qlite_data_set_release(w->pictures);
  w->q.qlite_data_set_release(w->data);
  w->q.qlite_quantizer_release(w->quantizer);
  w->q.qlite_quantization_result_release(w->result);
  w->q.qlite_calibration_table_release(w->table);
  w->q.qlite_session_release(w->session);
}

static int read_option(const char* text, struct request* r) {
  long long a = 0, b = 0;
  if (sscanf(text, "resize=%lldx%lld", &a, &b) == 2) {
    r->images.resize_width = a, r->images.resize_height = b;
  } else if (sscanf(text, "shorter=%lld", &a) == 1) {
    r->images.resize_shorter_side = a;
  } else if (sscanf(text, "crop=%lldx%lld", &a, &b) == 2) {
    r->images.crop_width = a, r->images.crop_height = b;
  } else if (sscanf(text, "count=%lld", &a) == 1) {
    r->count = a;
  } else if (sscanf(text, "threads=%lld", &a) == 1) {
    r->threads = (int32_t)a;
  } else if (strcmp(text, "allocator=counting") == 0) {
    r->counts_memory = 1;
  } else if (sscanf(text, "repeat=%lld", &a) == 1) {
    r->repeat = (long)a;
  } else if (strncmp(text, "method=", 7) == 0) {
    r->method = text + 7;
  } else if (strncmp(text, "step=", 5) == 0) {
    r->step = text + 5;
  } else {
    fprintf(stderr, "%s is not understood\n", text);
    return 1;
  }
  return 0;
}

/* Before anything has made a handle. */
static qlite_status lend_memory(const struct work* w, const struct request* r, struct memory_account* account) {
  if (!r->counts_memory) return QLITE_OK;
  const qlite_allocator allocator = counting_allocator(account);
  return w->q.qlite_set_allocator(&allocator);
}

/* From opening the library to closing it; 0 on success. */
static int work_once(int option_count, char** options, struct request* r) {
  static const float pixels[] = {127.5f, 127.5f, 127.5f};
  struct memory_account account = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0};
  struct work w;
  memset(&w, 0, sizeof(w));
  if (library_open(&w.q, r->library) != 0) return 2;
  w.q.qlite_image_options_init(&r->images, sizeof(r->images));
  r->images.order = QLITE_RGB;
  r->images.mean = r->images.std = pixels;
  r->images.channels = 3;
  int wrong = 0;
  for (int i = 0; i < option_count; ++i) wrong |= read_option(options[i], r);
  qlite_status status = QLITE_INVALID_ARGUMENT;
  if (!wrong) {
    printf("qlite %s\n", w.q.qlite_version_string());
    status = lend_memory(&w, r, &account);
    if (status == QLITE_OK) status = convert(&w, r);
    if (status != QLITE_OK) print_failure(&w, status);
  }
  release(&w);
  library_close(&w.q);
  if (r->counts_memory) {
    printf("memory: %ld allocations, %zu bytes at most, %ld blocks left\n", account.allocations, account.most_bytes,
           account.living);
  }
  return status == QLITE_OK ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: %s LIBRARY MODEL FOLDER OUTPUT [option=value ...]\n", argv[0]);
    return 2;
  }
  struct request r = {argv[1], argv[2], argv[3], argv[4], "MAX_MIN", NULL, {0}, 0, 1, 0, 1};
  int result = 0;
  for (long i = 0; i < r.repeat && result == 0; ++i) result = work_once(argc - 5, argv + 5, &r);
  return result;
}
