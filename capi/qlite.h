/**
 * @file qlite.h
 * @brief The C interface of qlite: reads trained neural networks, calibrates them over samples, quantizes them to int8,
 * writes them, and runs them.
 *
 * This header is C99 and needs nothing but the standard headers below. It may be used with dlopen(): the signatures are
 * all that a host needs. docs/c-api.md is the tutorial; examples/c_host is a complete host.
 *
 * **Handles.** Every object is named by an opaque handle that is never used twice in a process. Zero, a handle of
 * another kind and a released handle give QLITE_INVALID_ARGUMENT, never a crash. Whoever receives a handle in an output
 * parameter owns it and releases it once, in any order: objects keep alive what they need of each other. On failure
 * handles in output parameters are set to NULL.
 *
 * **Errors.** Every function that can fail returns a ::qlite_status. The details of a failure are kept by the context
 * that the failing object was made with, see qlite_last_error().
 *
 * **Memory.** Pointers that a function fills in (names, extents, data) belong to the object asked and are valid until
 * it is released, unless its description says otherwise. Pointers that the host passes are read during the call only,
 * unless the description says otherwise. Strings are UTF-8 and end with a zero byte. Tensor data are row-major, in the
 * byte order of the machine.
 *
 * **Structures.** One that begins with struct_size must have it set to sizeof the structure, and should be filled with
 * defaults first by its *_init function. A host that was compiled against an older header keeps working: fields that it
 * does not know have their defaults. A host that sets a field which the loaded library does not know gets
 * QLITE_UNIMPLEMENTED. Structures without struct_size never change.
 *
 * **Threads.** All functions may be called from any thread. Those that take one object at a time from several threads
 * are marked; where nothing is said, a function is safe to call from several threads at once, on the same objects too.
 * Releasing an object while another thread is inside a call on it is safe: the call ends first.
 *
 * **What the library does not do.** It never writes to stdout or stderr unless asked, never exits or aborts the process
 * on bad input, installs no signal handler, and gives the same bytes whatever the number of threads and the instruction
 * set. What it keeps outside of objects: the table of live handles, the allocator, what callbacks say of failures.
 */
#ifndef QLITE_H_
#define QLITE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define QLITE_API __attribute__((visibility("default")))
#else
#define QLITE_API
#endif

/** @defgroup version Version
 * @{ */

/** Version of this header: major, minor and patch number. */
#define QLITE_VERSION_MAJOR 0
#define QLITE_VERSION_MINOR 1
#define QLITE_VERSION_PATCH 0

/** Version of the binary interface. A library serves hosts that were compiled with its own number. The number changes
 * only when something is removed or changes its meaning; additions leave it. */
#define QLITE_ABI_VERSION 0u

/** The version of the loaded library as major * 1000000 + minor * 1000 + patch. */
QLITE_API uint32_t qlite_version(void);
/** The version of the loaded library, "0.1.0". The string lives as long as the library. */
QLITE_API const char* qlite_version_string(void);
/** The QLITE_ABI_VERSION of the loaded library. qlite_context_create() compares it with the host's. */
QLITE_API uint32_t qlite_abi_version(void);
/** @} */

/** @defgroup errors Errors
 * @{ */

/** How a call ended: QLITE_OK or the kind of its failure. */
typedef int32_t qlite_status;
enum {
  QLITE_OK = 0,
  QLITE_CANCELLED = 1,           /**< The progress callback asked to stop. */
  QLITE_UNKNOWN = 2,             /**< A failure of no known kind. */
  QLITE_INVALID_ARGUMENT = 3,    /**< An argument, a handle or a file's content is wrong. */
  QLITE_DEADLINE_EXCEEDED = 4,   /**< The operating system gave up waiting. */
  QLITE_NOT_FOUND = 5,           /**< No such file, name or node. */
  QLITE_ALREADY_EXISTS = 6,      /**< The name is taken. */
  QLITE_PERMISSION_DENIED = 7,   /**< The operating system refuses. */
  QLITE_RESOURCE_EXHAUSTED = 8,  /**< A limit, the disk, or memory for what the message names does not suffice. */
  QLITE_FAILED_PRECONDITION = 9, /**< Not in this state, or not with these values. */
  QLITE_ABORTED = 10,            /**< Interrupted. */
  QLITE_OUT_OF_RANGE = 11,       /**< An index beyond the end. */
  QLITE_UNIMPLEMENTED = 12,      /**< Known, but not supported; the message says what. */
  QLITE_INTERNAL = 13,           /**< The library's own mistake. */
  QLITE_UNAVAILABLE = 14,        /**< Try again later. */
  QLITE_DATA_LOSS = 15,          /**< A file is damaged. */
  QLITE_UNAUTHENTICATED = 16,    /**< Not used by the library; a callback may return it. */
  QLITE_OUT_OF_MEMORY = 17       /**< The allocator returned nothing. Objects that existed before are as they were. */
};

/** The name of a status, "QLITE_NOT_FOUND"; "unknown status" for another number. The string lives as long as the
 * library. */
QLITE_API const char* qlite_status_name(qlite_status status);

/** A failure, kept. Immutable. */
typedef struct qlite_error qlite_error;

/** What is known of a failure. Strings are never NULL and empty where nothing is known. */
typedef struct qlite_error_info {
  size_t struct_size;  /**< sizeof(qlite_error_info) */
  const char* message; /**< What was expected, what was found, and where. */
  const char* file;    /**< The file at fault, or the name that the host gave to bytes in memory. */
  const char* node;    /**< The node at fault, by name. */
  const char* value;   /**< The value (tensor) at fault, by name. */
  qlite_status code;
  int32_t reserved; /**< 0 */
} qlite_error_info;

/** Fills in what is known. The strings belong to the error. */
QLITE_API qlite_status qlite_error_get(const qlite_error* error, qlite_error_info* info);
/** Gives the error up. */
QLITE_API qlite_status qlite_error_release(qlite_error* error);
/** For callbacks of the host that are about to return a failure: says what it is, and which file, node and value are at
 * fault, for qlite_last_error(). The texts are copied; all but `message` may be NULL. Kept for the calling thread until
 * a callback on it has returned something other than QLITE_OK. */
QLITE_API qlite_status qlite_describe_failure(const char* message, const char* file, const char* node,
                                              const char* value);
/** @} */

/** @defgroup buffers Bytes made by the library
 * @{ */

/** A text or other bytes that the library made. Immutable. */
typedef struct qlite_bytes qlite_bytes;
/** The bytes; a zero byte that is not counted in `size` follows them, so that texts are C strings. */
QLITE_API qlite_status qlite_bytes_get(const qlite_bytes* bytes, const void** data, size_t* size);
/** Gives the bytes up. */
QLITE_API qlite_status qlite_bytes_release(qlite_bytes* bytes);

/** Takes `size` bytes, in order; anything but QLITE_OK stops the operation, which then returns that status. */
typedef qlite_status (*qlite_write_function)(void* user, const void* data, size_t size);
/** Tells the host that the library no longer needs what it was lent. Called once, on any thread. */
typedef void (*qlite_release_function)(void* user);
/** @} */

/** @defgroup memory Memory of the host
 * @{ */

/** Where the library takes its memory from. Both functions are called from any thread, several at once, and must not
 * call the library. */
typedef struct qlite_allocator {
  size_t struct_size; /**< sizeof(qlite_allocator) */
  void* user;         /**< Passed to the functions. */
  /** `size` bytes, one at least, at a multiple of `alignment`, which is a power of two and 16 at least. NULL where
   * there is no memory: the call of the library then fails with QLITE_OUT_OF_MEMORY. */
  void* (*allocate)(void* user, size_t size, size_t alignment);
  /** Takes back a block of `allocate`; `size` is what was asked for. */
  void (*deallocate)(void* user, void* block, size_t size);
} qlite_allocator;

/**
 * Gives the library an allocator: from then on all its memory comes from there, that of the third-party code inside it
 * included. What the C library takes for itself (buffers of open files, stacks of threads, mapped files) does not. To
 * be called once, before anything else has made a handle. The allocator serves the library, not a context, because the
 * C++ runtime and third-party code know no contexts; it is copied, and must work until the library is unloaded, when
 * the last blocks come back. A block that is older than the call goes back to free().
 * @return QLITE_FAILED_PRECONDITION once there has been a handle, or another allocator; QLITE_UNIMPLEMENTED where the
 * library is not the self-contained one, whose memory is not its own to place.
 */
QLITE_API qlite_status qlite_set_allocator(const qlite_allocator* allocator);
/** @} */

/** @defgroup context Context: what the host lends to the library
 * @{ */

/** Threads, logger, limits, an instruction set, and the registered observers and preprocessing steps. */
typedef struct qlite_context qlite_context;

/** A piece of parallel work: the units [begin, end) as worker number `worker`. Never throws. */
typedef void (*qlite_work_function)(void* work, int64_t begin, int64_t end, int32_t worker);

/** The host's own threads. */
typedef struct qlite_executor {
  size_t struct_size; /**< sizeof(qlite_executor) */
  void* user;         /**< Passed to the functions. */
  /** Calls `function(work, begin, end, worker)` for disjoint ranges that cover [0, units), with
   * 0 <= worker < concurrency and no two calls with one worker at a time, and returns when all have returned. Must be
   * callable from several threads at once, and from within `function`. Results never depend on how the ranges are cut.
   */
  void (*parallel_for)(void* user, int64_t units, qlite_work_function function, void* work);
  qlite_release_function release; /**< Called when the last object that may use the executor is gone; may be NULL. */
  int32_t concurrency;            /**< How many ranges may run at once, 1..1024. */
  int32_t reserved;               /**< 0 */
} qlite_executor;

/** How serious a log message is. */
typedef int32_t qlite_log_level;
enum { QLITE_LOG_DEBUG = 0, QLITE_LOG_INFO = 1, QLITE_LOG_WARNING = 2, QLITE_LOG_ERROR = 3 };

/** Receives a message; called from any thread, one call at a time. */
typedef void (*qlite_log_function)(void* user, qlite_log_level level, const char* message);
/** How far a long operation is ("calibrate", 3 of 100; total 0 where not known). Returns 0 to cancel it: it then stops
 * soon with QLITE_CANCELLED. Called from any thread, one call at a time; it must not call the library with the same
 * context. */
typedef int32_t (*qlite_progress_function)(void* user, const char* stage, int64_t done, int64_t total);

/** Threads of the library's own that several contexts may share. */
typedef struct qlite_thread_pool qlite_thread_pool;
/** Makes a pool of `num_threads` threads, the calling one included; 0 means as many as the machine has, 1024 is the
 * most. */
QLITE_API qlite_status qlite_thread_pool_create(int32_t num_threads, qlite_thread_pool** pool);
/** Gives the pool up; its threads end with the last object that uses it. */
QLITE_API qlite_status qlite_thread_pool_release(qlite_thread_pool* pool);

/** How a context is made. */
typedef struct qlite_context_options {
  size_t struct_size; /**< sizeof(qlite_context_options) */
  /** Threads of the context's own, the calling one included; 0: as many as the machine has. Default 1. */
  int32_t num_threads;
  int32_t log_to_stderr;         /**< Not 0: messages from log_level on go to stderr, where `log` is NULL. Default 0. */
  qlite_log_level log_level;     /**< The least serious messages wanted. Default QLITE_LOG_WARNING. */
  int32_t reserved;              /**< 0 */
  const qlite_thread_pool* pool; /**< In place of threads of its own; NULL: none. */
  const qlite_executor* executor; /**< In place of both; NULL: none. Copied. */
  qlite_log_function log;         /**< NULL: silent (default). */
  void* log_user;
  qlite_progress_function progress; /**< NULL: none (default). */
  void* progress_user;
  /** "generic", "sse42", "avx2", "avx512", "avxvnni", "avx512vnni", "amxint8", "neon", "neondot": the instruction set
   * to use, with those it comes on top of; NULL: the best there is. "amxint8" asks Linux to keep the matrix unit's
   * state for this process, after which sigaltstack(2) wants larger stacks; where it refuses, the best there is is
   * "avx512vnni". Results are the same bits with any of them. */
  const char* isa;
  uint64_t max_file_bytes;   /**< Larger model files are refused. Default 16 GiB. */
  uint64_t max_tensor_bytes; /**< Larger tensors are refused. Default 8 GiB. */
  int64_t max_nodes;         /**< Larger graphs are refused. Default 2^20. */
  uint64_t max_image_pixels; /**< Larger pictures are refused. Default 2^28. */
  /** For activations, packed weights and unmapped constants of a session or a calibration; 0: no limit (default). */
  uint64_t memory_budget_bytes;
  int64_t max_tensors; /**< Graphs with more inputs, constants and results of nodes are refused. Default 2^22. */
} qlite_context_options;

/** Fills `options` with defaults; `struct_size` is sizeof(qlite_context_options) as the host knows it. */
QLITE_API qlite_status qlite_context_options_init(qlite_context_options* options, size_t struct_size);

/**
 * Makes a context. Any number of them may exist; they share nothing.
 * @param abi_version  QLITE_ABI_VERSION as the host was compiled with; QLITE_FAILED_PRECONDITION where the library has
 * another.
 * @param options      NULL: defaults.
 * @param context      receives the context.
 * @param error        where not NULL, receives the details of a failure (there is no context yet to ask), to be
 * released.
 * @return QLITE_INVALID_ARGUMENT for an instruction set that is unknown or missing here (the message lists those there
 * are).
 */
QLITE_API qlite_status qlite_context_create(uint32_t abi_version, const qlite_context_options* options,
                                            qlite_context** context, qlite_error** error);
/** Gives the context up. Objects made with it go on working. */
QLITE_API qlite_status qlite_context_release(qlite_context* context);
/** The name of the instruction set in use. */
QLITE_API qlite_status qlite_context_isa(const qlite_context* context, const char** isa);
/** A context like the given one, observers and steps included, on the threads of `pool`. */
QLITE_API qlite_status qlite_context_with_pool(const qlite_context* context, const qlite_thread_pool* pool,
                                               qlite_context** result);
/** The same on threads of the host. `executor` is copied; its `release` is called on failure, too. */
QLITE_API qlite_status qlite_context_with_executor(const qlite_context* context, const qlite_executor* executor,
                                                   qlite_context** result);
/** How many threads may work for the context at once, the calling one included. */
QLITE_API qlite_status qlite_context_concurrency(const qlite_context* context, int32_t* concurrency);
/** Runs work of the host on the context's threads: calls `function(work, begin, end, worker)` as qlite_executor says,
 * and returns when all calls have returned. */
QLITE_API qlite_status qlite_context_parallel_for(const qlite_context* context, int64_t units,
                                                  qlite_work_function function, void* work);
/** Passes a message to the context's logger, for plug-ins. */
QLITE_API qlite_status qlite_context_log(const qlite_context* context, qlite_log_level level, const char* message);
/** Passes progress of the host's own work to the context's callback; QLITE_CANCELLED where that says so. Not to be
 * called from a progress callback. */
QLITE_API qlite_status qlite_context_report_progress(const qlite_context* context, const char* stage, int64_t done,
                                                     int64_t total);
/**
 * The last failure of a call with this context or with an object made with it; QLITE_NOT_FOUND where there was none.
 * Threads that want to tell their own failures apart use a context each. Calls whose handle was not valid have no
 * context to tell.
 */
QLITE_API qlite_status qlite_last_error(const qlite_context* context, qlite_error** error);
/** @} */

/** @defgroup types Element types and quantization parameters
 * @{ */

/** The type of a tensor's elements. */
typedef int32_t qlite_element_type;
enum {
  QLITE_UNDEFINED = 0,
  QLITE_FLOAT32 = 1,
  QLITE_FLOAT16 = 2,
  QLITE_FLOAT64 = 3,
  QLITE_INT8 = 4,
  QLITE_UINT8 = 5,
  QLITE_INT16 = 6,
  QLITE_UINT16 = 7,
  QLITE_INT32 = 8,
  QLITE_UINT32 = 9,
  QLITE_INT64 = 10,
  QLITE_UINT64 = 11,
  QLITE_BOOL = 12,
  QLITE_BFLOAT16 = 13 /**< the upper half of a float32; of constants, which a Cast widens */
};
/** Bytes of one element; 0 for an unknown type. */
QLITE_API size_t qlite_element_size(qlite_element_type type);
/** "float32", "int8", ...; "undefined" for an unknown type. The string lives as long as the library. */
QLITE_API const char* qlite_element_type_name(qlite_element_type type);

/** How integers stand for real numbers: real = scale * (q - zero_point), one pair for the whole value, for each index
 * of `axis`, or for each run of `block_size` elements along `axis`. */
typedef struct qlite_quant_params {
  size_t struct_size; /**< sizeof(qlite_quant_params) */
  const float* scales;
  const int32_t* zero_points;
  size_t count;         /**< of scales and of zero points */
  int64_t axis;         /**< -1: one pair for the whole value */
  int64_t block_size;   /**< 0: no blocks */
  int32_t bits;         /**< 1..32 */
  int32_t symmetric;    /**< Not 0: every zero point is 0. */
  int32_t narrow_range; /**< Not 0: the least q is -2^(bits-1)+1 instead of -2^(bits-1). */
  int32_t reserved;     /**< 0 */
  /** `count` of each, or NULL for 1 and 0: a weight's distribution is corrected,
   * real = scale * variance_ratio * (q - zero_point) + mean_shift. */
  const float* variance_ratios;
  const float* mean_shifts;
} qlite_quant_params;

/** The scale and zero point of `bits`-bit integers (1..32) whose grid covers [min, max] widened to include 0. */
QLITE_API qlite_status qlite_asymmetric_params(float min, float max, int32_t bits, float* scale, int32_t* zero_point);
/** The scale of `bits`-bit integers (2..32) with zero point 0 that cover [-max_abs, max_abs] without the lowest one. */
QLITE_API qlite_status qlite_symmetric_params(float max_abs, int32_t bits, float* scale);

/** Extents for a model's input, by name; 1 to 16 dimensions or none. Never changes its layout. */
typedef struct qlite_input_shape {
  const char* name;
  const int64_t* dims;
  size_t rank;
} qlite_input_shape;
/** @} */

/** @defgroup graph Graph: a network as its model file says it
 * @{ */

/** A network: nodes over named values. Immutable; functions that change a graph give another one, which shares
 * constants. */
typedef struct qlite_graph qlite_graph;

/** A model file's format. */
typedef int32_t qlite_model_format;
enum { QLITE_FORMAT_AUTO = -1, QLITE_FORMAT_QLITE = 0, QLITE_FORMAT_ONNX = 1 };

/** "qlite", "onnx"; "unknown" for another number. The string lives as long as the library. */
QLITE_API const char* qlite_model_format_name(qlite_model_format format);
/** The format of that name, in any letter case; QLITE_INVALID_ARGUMENT for another. */
QLITE_API qlite_status qlite_model_format_parse(const char* name, qlite_model_format* format);
/** The format that a path's extension names; QLITE_NOT_FOUND for none. */
QLITE_API qlite_status qlite_model_format_of_path(const char* path, qlite_model_format* format);

/** Reads a model file. Large constants stay mapped to the file, which must not change while the graph or anything made
 * from it lives. Errors name the file, and the node or value at fault. */
QLITE_API qlite_status qlite_graph_load(const qlite_context* context, const char* path, qlite_model_format format,
                                        qlite_graph** graph);
/**
 * Reads a model from memory.
 * @param name     stands for the file's name in messages and, with QLITE_FORMAT_AUTO, tells the format by its
 * extension.
 * @param release  NULL: the data are copied. Else they are used in place, must not change, and release(user) is called
 * once when nothing needs them any more, on failure too. A model whose weights lie in files of their own is refused.
 */
QLITE_API qlite_status qlite_graph_load_memory(const qlite_context* context, const void* data, size_t size,
                                               const char* name, qlite_model_format format,
                                               qlite_release_function release, void* user, qlite_graph** graph);
/** How a model is read. */
typedef struct qlite_load_options {
  size_t struct_size; /**< sizeof(qlite_load_options) */
  /** Fixes the extents of inputs, and the symbols in them, as qlite_graph_infer_shapes() does. An ONNX model whose
   * loops or branches depend on the extents of its inputs can be read with them alone. */
  const qlite_input_shape* shapes;
  size_t shape_count;
  qlite_model_format format; /**< Default QLITE_FORMAT_AUTO: by the first bytes, then the extension. */
  int32_t reserved;          /**< 0 */
} qlite_load_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_load_options_init(qlite_load_options* options, size_t struct_size);
/** qlite_graph_load() with options; NULL: defaults. */
QLITE_API qlite_status qlite_graph_load_with(const qlite_context* context, const char* path,
                                             const qlite_load_options* options, qlite_graph** graph);
/** qlite_graph_load_memory() with options; NULL: defaults. */
QLITE_API qlite_status qlite_graph_load_memory_with(const qlite_context* context, const void* data, size_t size,
                                                    const char* name, const qlite_load_options* options,
                                                    qlite_release_function release, void* user, qlite_graph** graph);
/** Gives the graph up. */
QLITE_API qlite_status qlite_graph_release(qlite_graph* graph);

/** What a graph consists of. Values and nodes are numbered from 0; nodes in topological order. */
typedef struct qlite_graph_info {
  size_t struct_size; /**< sizeof(qlite_graph_info) */
  const char* name;
  int32_t input_count, output_count, node_count, value_count;
  const int32_t* inputs;  /**< value numbers */
  const int32_t* outputs; /**< value numbers */
  int32_t metadata_count;
  int32_t reserved; /**< 0 */
} qlite_graph_info;
/** Fills in counts, inputs and outputs. */
QLITE_API qlite_status qlite_graph_get_info(const qlite_graph* graph, qlite_graph_info* info);
/** A hash of operators, attributes, names and weights. Reads all weights. */
QLITE_API qlite_status qlite_graph_fingerprint(const qlite_graph* graph, uint64_t* fingerprint);

/** A tensor of a graph. */
typedef struct qlite_value_info {
  size_t struct_size; /**< sizeof(qlite_value_info) */
  const char* name;
  const int64_t* dims;     /**< extents, outermost first; -1 where not known */
  int32_t rank;            /**< -1: not known */
  qlite_element_type type; /**< QLITE_UNDEFINED until shapes are inferred */
  int32_t producer;        /**< the node that makes it; -1 for inputs and constants */
  int32_t is_constant;
  const void* data; /**< a constant's elements, else NULL */
  size_t data_bytes;
} qlite_value_info;
/** Fills in value number `value`; QLITE_OUT_OF_RANGE beyond the last. */
QLITE_API qlite_status qlite_graph_get_value(const qlite_graph* graph, int32_t value, qlite_value_info* info);
/** The quantization of a value; QLITE_NOT_FOUND where it has none. */
QLITE_API qlite_status qlite_graph_get_quant_params(const qlite_graph* graph, int32_t value,
                                                    qlite_quant_params* params);
/** The symbol of an unknown extent ("N"), empty for none: equal symbols are equal extents. */
QLITE_API qlite_status qlite_graph_get_symbol(const qlite_graph* graph, int32_t value, int32_t dimension,
                                              const char** symbol);
/** The number of the value of that name; QLITE_NOT_FOUND for none. */
QLITE_API qlite_status qlite_graph_find_value(const qlite_graph* graph, const char* name, int32_t* value);

/** An operator of a graph. */
typedef struct qlite_node_info {
  size_t struct_size; /**< sizeof(qlite_node_info) */
  const char* name;
  const char* op;         /**< "Conv", "MaxPool", ... */
  const int32_t* inputs;  /**< value numbers; -1 for an absent optional input */
  const int32_t* outputs; /**< value numbers; -1 for an unused optional output */
  int32_t input_count, output_count;
  int32_t attribute_count;
  int32_t reserved; /**< 0 */
} qlite_node_info;
/** Fills in node number `node`; QLITE_OUT_OF_RANGE beyond the last. */
QLITE_API qlite_status qlite_graph_get_node(const qlite_graph* graph, int32_t node, qlite_node_info* info);
/** The number of the node of that name; QLITE_NOT_FOUND for none. */
QLITE_API qlite_status qlite_graph_find_node(const qlite_graph* graph, const char* name, int32_t* node);

/** What an attribute holds. */
typedef int32_t qlite_attribute_kind;
enum {
  QLITE_ATTRIBUTE_INTEGER = 0,  /**< a number, truth value, element type or choice */
  QLITE_ATTRIBUTE_REAL = 1,     /**< a float */
  QLITE_ATTRIBUTE_INTEGERS = 2, /**< a list of numbers */
  QLITE_ATTRIBUTE_REALS = 3     /**< a list of floats */
};
/** An attribute of a node. The member that `kind` calls for is set. Never changes its layout. */
typedef struct qlite_attribute {
  const char* name; /**< "strides", "group", ... */
  qlite_attribute_kind kind;
  float real;
  int64_t integer;
  const int64_t* integers;
  const float* reals;
  size_t count; /**< of integers or reals */
} qlite_attribute;
/** Attribute number `index` of a node, in a fixed order; QLITE_OUT_OF_RANGE beyond the last. */
QLITE_API qlite_status qlite_graph_get_attribute(const qlite_graph* graph, int32_t node, int32_t index,
                                                 qlite_attribute* attribute);
/** Entry `index` of the free text that the file carries: producer, manifest. In the order of the keys. */
QLITE_API qlite_status qlite_graph_get_metadata(const qlite_graph* graph, int32_t index, const char** key,
                                                const char** value);
/** A description for people. `dot` not 0: a Graphviz digraph; else one line a node. */
QLITE_API qlite_status qlite_graph_dump(const qlite_graph* graph, int32_t dot, qlite_bytes** text);

/** The graph with types and shapes of all values filled in from the given input shapes on. An inconsistency is an error
 * that names the node. `shapes` may be NULL where `count` is 0. */
QLITE_API qlite_status qlite_graph_infer_shapes(const qlite_graph* graph, const qlite_input_shape* shapes, size_t count,
                                                qlite_graph** result);
/** The graph simplified with unchanged results, as quantization starts: constants folded, BatchNormalization and
 * activations fused, ... `steps`, where not NULL, receives one line for each thing done. */
QLITE_API qlite_status qlite_graph_simplify(const qlite_graph* graph, qlite_graph** result, qlite_bytes** steps);

/** The names of all operators, one a line: those of ONNX, with Quantize and Dequantize. */
QLITE_API qlite_status qlite_operator_names(qlite_bytes** names);

/** The rank of an input of which not even that is known. */
#define QLITE_UNKNOWN_RANK SIZE_MAX

/** A graph under construction. One thread at a time. After QLITE_OUT_OF_MEMORY it can only be released. */
typedef struct qlite_graph_builder qlite_graph_builder;
/** Begins a graph: an empty one, or a copy of `base` to which more is added. Its values keep their names; find them
 * with qlite_graph_builder_find_value(). */
QLITE_API qlite_status qlite_graph_builder_create(const qlite_context* context, const qlite_graph* base,
                                                  qlite_graph_builder** builder);
/** Gives the builder up. */
QLITE_API qlite_status qlite_graph_builder_release(qlite_graph_builder* builder);
/** Sets the graph's name. */
QLITE_API qlite_status qlite_graph_builder_set_name(qlite_graph_builder* builder, const char* name);
/** Adds or replaces an entry of the free text; `value` NULL removes it. */
QLITE_API qlite_status qlite_graph_builder_set_metadata(qlite_graph_builder* builder, const char* key,
                                                        const char* value);
/** Adds an input; extents of -1 are unknown, and `rank` may be QLITE_UNKNOWN_RANK. A name that is taken gets a numeric
 * suffix, here and below. */
QLITE_API qlite_status qlite_graph_builder_add_input(qlite_graph_builder* builder, const char* name,
                                                     qlite_element_type type, const int64_t* dims, size_t rank,
                                                     int32_t* value);
/** Adds a constant; the data are copied and `size` must be what type and extents call for. */
QLITE_API qlite_status qlite_graph_builder_add_constant(qlite_graph_builder* builder, const char* name,
                                                        qlite_element_type type, const int64_t* dims, size_t rank,
                                                        const void* data, size_t size, int32_t* value);
/** A node to add. */
typedef struct qlite_new_node {
  size_t struct_size;    /**< sizeof(qlite_new_node) */
  const char* name;      /**< NULL or empty: "<op>_<number>" */
  const char* op;        /**< "Conv", "MaxPool", ... */
  const int32_t* inputs; /**< value numbers of this builder; -1 for an absent optional input */
  size_t input_count;
  const char* const* output_names;
  size_t output_count;
  const qlite_attribute* attributes; /**< those that differ from the operator's defaults */
  size_t attribute_count;
} qlite_new_node;
/** Adds a node. `outputs` receives output_count value numbers. An unknown operator or attribute is QLITE_NOT_FOUND and
 * names the nearest one. */
QLITE_API qlite_status qlite_graph_builder_add_node(qlite_graph_builder* builder, const qlite_new_node* node,
                                                    int32_t* outputs);
/** The value of that name; QLITE_NOT_FOUND for none. */
QLITE_API qlite_status qlite_graph_builder_find_value(const qlite_graph_builder* builder, const char* name,
                                                      int32_t* value);
/** Sets the quantization of a value; everything is copied. NULL: none. */
QLITE_API qlite_status qlite_graph_builder_set_quant_params(qlite_graph_builder* builder, int32_t value,
                                                            const qlite_quant_params* params);
/** Every node and graph output that reads `from` reads `to` instead. */
QLITE_API qlite_status qlite_graph_builder_replace_uses(qlite_graph_builder* builder, int32_t from, int32_t to);
/** Input number `index` of the node that makes `value` is `input` from now on; -1 for none. `index` is that of an
 * input, or the number of inputs to add one. */
QLITE_API qlite_status qlite_graph_builder_set_producer_input(qlite_graph_builder* builder, int32_t value, size_t index,
                                                              int32_t input);
/** The node that makes `value` makes a new value of the same type, shape and quantization instead, whose number
 * `detached` receives; `value` keeps its name and its uses, and is made by nothing. For inserting behind a node. */
QLITE_API qlite_status qlite_graph_builder_detach_producer(qlite_graph_builder* builder, int32_t value,
                                                           const char* name, int32_t* detached);
/** Gives the value another name; one that is taken gets a number. */
QLITE_API qlite_status qlite_graph_builder_rename_value(qlite_graph_builder* builder, int32_t value, const char* name);
/** Gives the node that makes `value` another name; one that is taken gets a number. */
QLITE_API qlite_status qlite_graph_builder_rename_producer(qlite_graph_builder* builder, int32_t value,
                                                           const char* name);
/** Gives dimension number `dim` of an input a name, "N": inputs with extents of the same name agree. For a dimension
 * whose extent is -1 (QLITE_FAILED_PRECONDITION). */
QLITE_API qlite_status qlite_graph_builder_set_symbol(qlite_graph_builder* builder, int32_t value, size_t dim,
                                                      const char* symbol);
/** Gives the node that makes `value` another operator (NULL: the one that it has) and attributes, those that are not
 * listed being the operator's defaults. Inputs and outputs stay; qlite_graph_builder_build() checks that they fit. */
QLITE_API qlite_status qlite_graph_builder_set_producer_operator(qlite_graph_builder* builder, int32_t value,
                                                                 const char* op, const qlite_attribute* attributes,
                                                                 size_t attribute_count);
/** Removes the node that makes `value`, all of whose outputs must be unused (QLITE_FAILED_PRECONDITION). */
QLITE_API qlite_status qlite_graph_builder_remove_producer(qlite_graph_builder* builder, int32_t value);
/** Names the graph's outputs, in order, in place of those there were. */
QLITE_API qlite_status qlite_graph_builder_set_outputs(qlite_graph_builder* builder, const int32_t* values,
                                                       size_t count);
/** The graph, checked and with its shapes inferred. The builder may go on. */
QLITE_API qlite_status qlite_graph_builder_build(const qlite_graph_builder* builder, qlite_graph** graph);
/** @} */

/** @defgroup data Data sets: samples for calibration and checks
 * @{ */

/** An ordered, finite source of samples for one graph's inputs. */
typedef struct qlite_data_set qlite_data_set;

/** Memory for one input of a sample, or a session's input or output. Never changes its layout. */
typedef struct qlite_sample_buffer {
  const char* name; /**< of the input or output; empty in the functions of a preprocessing step */
  void* data;
  size_t size; /**< in bytes */
  const int64_t* dims;
  size_t rank;
  qlite_element_type type;
  int32_t reserved; /**< 0 */
} qlite_sample_buffer;

typedef int32_t qlite_color_order;
enum { QLITE_RGB = 0, QLITE_BGR = 1, QLITE_GRAY = 2 };
typedef int32_t qlite_resize_method;
/** Pixel positions are those of OpenCV's methods of these names. */
enum { QLITE_RESIZE_LINEAR = 0, QLITE_RESIZE_NEAREST = 1, QLITE_RESIZE_CUBIC = 2 };

/** How pictures become a model's input: decode -> colour order -> (x - mean) / std -> resize -> centre crop -> layout.
 */
typedef struct qlite_image_options {
  size_t struct_size;                  /**< sizeof(qlite_image_options) */
  qlite_color_order order;             /**< Default QLITE_BGR. */
  qlite_resize_method resize_method;   /**< Default QLITE_RESIZE_LINEAR. */
  const float* mean;                   /**< one a channel; NULL: 0 */
  const float* std;                    /**< one a channel; NULL: 1 */
  size_t channels;                     /**< how many `mean` and `std` have */
  int64_t resize_width, resize_height; /**< 0: not asked for */
  int64_t resize_shorter_side;         /**< keeps the aspect ratio; excludes the two above */
  int64_t crop_width, crop_height;     /**< 0: not asked for */
} qlite_image_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_image_options_init(qlite_image_options* options, size_t struct_size);

/** For which inputs of which graph samples are made. Where an input's shape has unknown extents other than the batch,
 * `shapes` must give it; the batch is 1. */
typedef struct qlite_data_target {
  size_t struct_size; /**< sizeof(qlite_data_target) */
  const qlite_graph* graph;
  const qlite_input_shape* shapes; /**< NULL: as the graph says */
  size_t shape_count;
  const char* input; /**< NULL: all inputs, in the graph's order; else this one alone, to be combined */
} qlite_data_target;

/** The pictures (JPEG, PNG, BMP by content) of a folder, sorted by name, the first `count` of them (0: all; fewer files
 * are an error). The target must be one input. `options` NULL: defaults. */
QLITE_API qlite_status qlite_data_set_open_images(const qlite_data_target* target, const char* folder, int64_t count,
                                                  const qlite_image_options* options, qlite_data_set** data_set);
/** As above, over `count` listed files. */
QLITE_API qlite_status qlite_data_set_from_image_files(const qlite_data_target* target, const char* const* files,
                                                       size_t count, const qlite_image_options* options,
                                                       qlite_data_set** data_set);
/** Raw tensors: a folder for each input of the target, whose files, sorted by name, have exactly the input's size. File
 * i of every folder makes sample i. `count` as above. */
QLITE_API qlite_status qlite_data_set_open_raw(const qlite_data_target* target, const char* const* folders,
                                               size_t folder_count, int64_t count, qlite_data_set** data_set);
/**
 * Samples that lie in the host's memory.
 * @param inputs   for each input of the target all samples, one after the other
 * @param sizes    for each input the number of bytes; a multiple of the input's size, the same multiple for each
 * @param release  NULL: the data are copied. Else they are used in place and release(user) is called once at the end,
 * on failure too.
 */
QLITE_API qlite_status qlite_data_set_from_memory(const qlite_data_target* target, const void* const* inputs,
                                                  const size_t* sizes, size_t input_count,
                                                  qlite_release_function release, void* user,
                                                  qlite_data_set** data_set);

/** Samples that the host makes when asked. The functions are called from several threads at once. */
typedef struct qlite_sample_source {
  size_t struct_size; /**< sizeof(qlite_sample_source) */
  void* user;
  int64_t size; /**< the number of samples */
  /** Writes sample `index` into the buffers, one for each input of the target. */
  qlite_status (*read)(void* user, int64_t index, const qlite_sample_buffer* inputs, size_t input_count);
  /** For messages: what sample `index` is. May be NULL; else the text is used until the next call on that thread. */
  const char* (*describe)(void* user, int64_t index);
  qlite_release_function release; /**< Called once at the end, on failure too; may be NULL. */
  /** Tells data sets apart; used where fingerprint_given is not 0. Else the library reads
   * all samples to find one. */
  uint64_t fingerprint;
  int32_t fingerprint_given;
  int32_t reserved; /**< 0 */
} qlite_sample_source;
/** A data set over a source, which is copied. */
QLITE_API qlite_status qlite_data_set_from_source(const qlite_data_target* target, const qlite_sample_source* source,
                                                  qlite_data_set** data_set);
/** Lines of token numbers in a text file, as a language model reads them: one sample a line from line `first_line`
 * (counted from 1) on, cut to `count` (0: all); empty lines are skipped. Of each line the first numbers are taken, as
 * many as the one input of the target has elements, which is int64 or int32. A line with fewer, or with something else,
 * is an error that names file and line. */
QLITE_API qlite_status qlite_data_set_open_tokens(const qlite_data_target* target, const char* file, int64_t first_line,
                                                  int64_t count, qlite_data_set** data_set);
/** `count` samples where there are none, the same every time: float32 inputs uniform in [-1, 1), any other zeros.
 * Enough to see whether two forms of a network differ, not to calibrate with. */
QLITE_API qlite_status qlite_data_set_make_random(const qlite_data_target* target, int64_t count,
                                                  qlite_data_set** data_set);
/** Data sets of one input each, of equal size, as one: part i feeds input i. The parts remain their owner's. */
QLITE_API qlite_status qlite_data_set_combine(const qlite_data_set* const* parts, size_t count,
                                              qlite_data_set** data_set);
/** The data set with the registered preprocessing step `name` applied to every sample.
 * @param settings  bytes for the step's `load`, copied; NULL where `size` is 0: the step as it is made. */
QLITE_API qlite_status qlite_data_set_preprocess(const qlite_data_set* source, const char* name, const void* settings,
                                                 size_t size, qlite_data_set** data_set);
/** Gives the data set up. */
QLITE_API qlite_status qlite_data_set_release(qlite_data_set* data_set);
/** The number of samples. */
QLITE_API qlite_status qlite_data_set_size(const qlite_data_set* data_set, int64_t* size);
/** What the data set feeds as input number `index`: name, type, extents and size in bytes; `buffer->data` is NULL.
 * QLITE_OUT_OF_RANGE beyond the last. */
QLITE_API qlite_status qlite_data_set_get_input(const qlite_data_set* data_set, size_t index,
                                                qlite_sample_buffer* buffer);
/** A hash of names, sizes and contents, equal for equal data wherever they lie. Reads all samples. */
QLITE_API qlite_status qlite_data_set_fingerprint(const qlite_data_set* data_set, uint64_t* fingerprint);
/** What sample `index` is, e.g. the path of its file. */
QLITE_API qlite_status qlite_data_set_describe(const qlite_data_set* data_set, int64_t index, qlite_bytes** text);
/** Writes sample `index` into `count` memory blocks, one for each input, of exactly the inputs' sizes. */
QLITE_API qlite_status qlite_data_set_read(const qlite_data_set* data_set, int64_t index, void* const* inputs,
                                           const size_t* sizes, size_t count);

/** A list of labelled pictures. */
typedef struct qlite_labels qlite_labels;
/** Reads lines "path<TAB>class index", paths relative to `root`; `offset` is added to every index. A malformed line is
 * an error that names file and line. */
QLITE_API qlite_status qlite_labels_read(const qlite_context* context, const char* file, const char* root,
                                         int64_t offset, qlite_labels** labels);
/** How many there are. */
QLITE_API qlite_status qlite_labels_count(const qlite_labels* labels, size_t* count);
/** Picture number `index` and its class. */
QLITE_API qlite_status qlite_labels_get(const qlite_labels* labels, size_t index, const char** file, int64_t* label);
/** Gives the list up. */
QLITE_API qlite_status qlite_labels_release(qlite_labels* labels);
/** @} */

/** @defgroup calibration Calibration: ranges of activations over samples
 * @{ */

/** What a calibration found, whole or of one shard. */
typedef struct qlite_calibration_table qlite_calibration_table;

/** How calibration is done. */
typedef struct qlite_calibrator_options {
  size_t struct_size; /**< sizeof(qlite_calibrator_options) */
  const char* method; /**< an observer's name: "MAX_MIN" (default), "KL", "REMOVAL_OUTLIER", or a registered one */
  /** NULL, or where the state so far is saved when the run is interrupted and every `checkpoint_every` samples. */
  const char* checkpoint_path;
  int64_t checkpoint_every; /**< 0: only when interrupted (default) */
  int32_t check_inputs;     /**< Not 0 (default): samples that look wrong for the network are logged as warnings. */
  int32_t reserved;         /**< 0 */
} qlite_calibrator_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_calibrator_options_init(qlite_calibrator_options* options, size_t struct_size);

/** Runs a float network over samples and observes every activation. */
typedef struct qlite_calibrator qlite_calibrator;
/** A calibrator for the graph as it is to be quantized, i.e. already simplified (qlite_graph_simplify). The context's
 * threads, callbacks and observers serve; `options` NULL: defaults. */
QLITE_API qlite_status qlite_calibrator_create(const qlite_context* context, const qlite_graph* graph,
                                               const qlite_calibrator_options* options, qlite_calibrator** calibrator);
/** Gives the calibrator up. */
QLITE_API qlite_status qlite_calibrator_release(qlite_calibrator* calibrator);
/** Observes all samples. `resume` (may be NULL): the table of an interrupted run over the same graph, samples and
 * method, whose samples are not run again. Values that are not finite are an error that names sample and value. The
 * table has the same bits for any number of threads. */
QLITE_API qlite_status qlite_calibrator_run(const qlite_calibrator* calibrator, const qlite_data_set* data_set,
                                            const qlite_calibration_table* resume, qlite_calibration_table** table);
/** Looks at the first few samples and says what seems wrong with their preparation, a line each; empty where nothing
 * does. `original`: the graph before it was simplified. */
QLITE_API qlite_status qlite_calibrator_check_inputs(const qlite_calibrator* calibrator, const qlite_data_set* data_set,
                                                     const qlite_graph* original, qlite_bytes** warnings);

/** What a table is of. */
typedef struct qlite_calibration_info {
  size_t struct_size; /**< sizeof(qlite_calibration_info) */
  const char* method;
  uint64_t graph_fingerprint;
  uint64_t data_fingerprint; /**< 0 after a merge of different data sets */
  int64_t samples_done;
  size_t tensor_count;
} qlite_calibration_info;
/** Fills in what the table is of. */
QLITE_API qlite_status qlite_calibration_table_get_info(const qlite_calibration_table* table,
                                                        qlite_calibration_info* info);
/** What was found for one value: the range to quantize it with, and each channel's minimum, maximum and mean. */
typedef struct qlite_tensor_calibration {
  size_t struct_size; /**< sizeof(qlite_tensor_calibration) */
  const char* name;
  uint64_t elements; /**< seen over all samples */
  size_t channel_count;
  const float* channel_min;
  const float* channel_max;
  const double* channel_mean;
  float min, max;            /**< the range */
  uint64_t channel_elements; /**< of each channel, seen over all samples */
} qlite_tensor_calibration;
/** Value number `index` in the order of the names, its range for `bits`-bit integers (2..16). */
QLITE_API qlite_status qlite_calibration_table_get(const qlite_calibration_table* table, size_t index, int32_t bits,
                                                   qlite_tensor_calibration* calibration);
/** The range of a value by name; QLITE_NOT_FOUND for one that was not observed. */
QLITE_API qlite_status qlite_calibration_table_range(const qlite_calibration_table* table, const char* value,
                                                     int32_t bits, float* min, float* max);
/** The two tables as one, the same bits in whatever order. QLITE_INVALID_ARGUMENT where method or graph differ. */
QLITE_API qlite_status qlite_calibration_table_merge(const qlite_calibration_table* a, const qlite_calibration_table* b,
                                                     qlite_calibration_table** merged);
/** The table as bytes, equal for equal tables. */
QLITE_API qlite_status qlite_calibration_table_serialize(const qlite_calibration_table* table, qlite_bytes** bytes);
/** The table back from bytes; damaged ones are refused. The context must know the method. */
QLITE_API qlite_status qlite_calibration_table_parse(const qlite_context* context, const void* data, size_t size,
                                                     qlite_calibration_table** table);
/** Writes the bytes to a file, whole or not at all. */
QLITE_API qlite_status qlite_calibration_table_save(const qlite_calibration_table* table, const char* path);
/** Reads such a file. */
QLITE_API qlite_status qlite_calibration_table_load(const qlite_context* context, const char* path,
                                                    qlite_calibration_table** table);
/** Gives the table up. */
QLITE_API qlite_status qlite_calibration_table_release(qlite_calibration_table* table);
/** @} */

/** @defgroup quantizer Quantizer: float graph to int8 graph
 * @{ */

/** How quantization is done. */
typedef struct qlite_quantizer_options {
  size_t struct_size;            /**< sizeof(qlite_quantizer_options) */
  const char* activation_method; /**< an observer's name, as in qlite_calibrator_options */
  const char* const*
      skip_nodes; /**< names of nodes that stay float; an unknown one is an error that names the nearest */
  size_t skip_node_count;
  const qlite_input_shape* shapes; /**< extents of inputs that the model leaves open */
  size_t shape_count;
  const char* checkpoint_path; /**< as in qlite_calibrator_options */
  int32_t per_channel;         /**< Not 0 (default): weights have a scale for each output channel. */
  int32_t bias_correction;     /**< Not 0 (default): biases take up the mean error of each output channel. */
  int32_t equalization;        /**< Not 0 (default): channels are rescaled between layers to share a range better. */
  int32_t check_inputs;        /**< as in qlite_calibrator_options */
  int64_t min_weight_elements; /**< A product whose weights are no more than this stays float. Default 0: none does. */
  int32_t keep_float_graph;    /**< Not 0: for qlite_quantization_result_float_graph() and reports. Default 0. */
  int32_t reserved;            /**< 0 */
} qlite_quantizer_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_quantizer_options_init(qlite_quantizer_options* options, size_t struct_size);

/** Turns float graphs into int8 graphs. */
typedef struct qlite_quantizer qlite_quantizer;
/** A quantizer with the context's threads, callbacks and observers; `options` NULL: defaults. */
QLITE_API qlite_status qlite_quantizer_create(const qlite_context* context, const qlite_quantizer_options* options,
                                              qlite_quantizer** quantizer);
/** Gives the quantizer up. */
QLITE_API qlite_status qlite_quantizer_release(qlite_quantizer* quantizer);

/** A quantized graph with the account of how it came about. */
typedef struct qlite_quantization_result qlite_quantization_result;
/** Full quantization: activations int8 asymmetric, weights int8 symmetric, biases int32. The graph need not be
 * simplified. `resume` as in qlite_calibrator_run(). QLITE_FAILED_PRECONDITION for weights that are not finite. */
QLITE_API qlite_status qlite_quantizer_run(const qlite_quantizer* quantizer, const qlite_graph* graph,
                                           const qlite_data_set* data_set, const qlite_calibration_table* resume,
                                           qlite_quantization_result** result);
/** Gives the result up; graphs and tables taken from it live on. */
QLITE_API qlite_status qlite_quantization_result_release(qlite_quantization_result* result);
/** The quantized graph, as a handle of its own. */
QLITE_API qlite_status qlite_quantization_result_graph(const qlite_quantization_result* result, qlite_graph** graph);
/** The float graph that was quantized, simplified and equalised, as a handle of its own; QLITE_FAILED_PRECONDITION
 * where the options did not keep it. */
QLITE_API qlite_status qlite_quantization_result_float_graph(const qlite_quantization_result* result,
                                                             qlite_graph** graph);
/** The calibration table, as a handle of its own; an empty one of a weight quantization. */
QLITE_API qlite_status qlite_quantization_result_table(const qlite_quantization_result* result,
                                                       qlite_calibration_table** table);
/** How much the account holds. */
typedef struct qlite_quantization_info {
  size_t struct_size; /**< sizeof(qlite_quantization_info) */
  size_t node_count, step_count, warning_count, stage_count;
  size_t weight_count; /**< of qlite_weight_quantize() and qlite_graph_store_floats_as_half() */
} qlite_quantization_info;
/** Fills in the counts. */
QLITE_API qlite_status qlite_quantization_result_get_info(const qlite_quantization_result* result,
                                                          qlite_quantization_info* info);
/** What became of a node. */
typedef struct qlite_node_outcome {
  size_t struct_size; /**< sizeof(qlite_node_outcome) */
  const char* name;
  const char* op;
  const char* reason; /**< why it stayed float; empty when integer */
  int32_t integer;    /**< Not 0: it computes on integers. */
  int32_t reserved;   /**< 0 */
} qlite_node_outcome;
/** Node number `index` of the simplified graph, in topological order. */
QLITE_API qlite_status qlite_quantization_result_get_node(const qlite_quantization_result* result, size_t index,
                                                          qlite_node_outcome* outcome);
/** A line on what was done: "folded 35 BatchNormalization", ... */
QLITE_API qlite_status qlite_quantization_result_get_step(const qlite_quantization_result* result, size_t index,
                                                          const char** step);
/** A warning about the samples: the likely mistake, and the evidence for it. */
QLITE_API qlite_status qlite_quantization_result_get_warning(const qlite_quantization_result* result, size_t index,
                                                             const char** likely_mistake, const char** evidence);
/** How long a stage took, in seconds. */
QLITE_API qlite_status qlite_quantization_result_get_stage(const qlite_quantization_result* result, size_t index,
                                                           const char** stage, double* seconds);
/** What became of a constant. */
typedef struct qlite_weight_outcome {
  size_t struct_size; /**< sizeof(qlite_weight_outcome) */
  const char* name;   /**< of the constant */
  const char* node;   /**< its first reader */
  const char* op;
  const char* reason; /**< why it stayed float; empty when quantized */
  int64_t elements;
  int64_t parameters; /**< pairs of scale and zero point; 0: it stayed float */
  double error;       /**< norm of the difference to the float weights over their norm */
  int32_t bits;       /**< 32: it stayed float */
  int32_t reserved;   /**< 0 */
} qlite_weight_outcome;
/** Constant number `index`, in the order of their first readers. */
QLITE_API qlite_status qlite_quantization_result_get_weight(const qlite_quantization_result* result, size_t index,
                                                            qlite_weight_outcome* outcome);
/** @} */

/** @defgroup weights Weight quantization: constants become integers, activations stay float
 * @{ */

/** How weights are rounded. */
typedef int32_t qlite_weight_rounding;
enum {
  QLITE_ROUND_NEAREST = 0, /**< each weight by itself */
  /** Of Conv, Gemm and MatMul each weight takes on the error that those before it cause at the output, judged from the
   * inputs that a data set gives; other weights to the nearest. */
  QLITE_ROUND_GPTQ = 1,
  /** QLITE_ROUND_GPTQ up to 8 bits for products that sum over up to 2560 inputs, QLITE_ROUND_NEAREST for others.
   * Without a data set the inputs come of made-up pictures, where the network's one input is float32 of rank 4 with 1,
   * 3 or 4 channels; other networks are rounded to the nearest. */
  QLITE_ROUND_AUTOMATIC = 2
};

/** How weights are quantized. docs/quantization.md explains the methods. */
typedef struct qlite_weight_quantizer_options {
  size_t struct_size; /**< sizeof(qlite_weight_quantizer_options) */
  const char* const*
      skip_nodes; /**< names of nodes whose constants stay float; an unknown one is an error that names the nearest */
  size_t skip_node_count;
  const qlite_input_shape* shapes; /**< extents of inputs that the model leaves open */
  size_t shape_count;
  /** Above 0: a scale for each run of so many weights along the reduction axis, 16..256 and a power of two, for 2, 3, 4
   * and 8 bits. Default 0. */
  int64_t block_size;
  int64_t min_weight_elements; /**< Only weights of more elements are quantized. Default 0. */
  int64_t min_weight_channels; /**< And, of convolutions, of more output channels. Default 0. */
  /** With `bits` 0: symmetric integers, each weight with as many bits as make the mean relative error of its channels
   * this, within (0, 1); larger makes the file smaller. Default 0.02. */
  double mixed_error;
  double cosine_target; /**< of `auto_tune`, within (0, 1). Default 0.995. */
  /** Share of the mean of the inputs' second moments, above 0 and at most 1; at least 0.1 is used with made-up
   * pictures. Default 0.01. */
  double gptq_damping;
  int32_t bits;        /**< 1..16 (default 8), or 0: mixed bits */
  int32_t symmetric;   /**< Not 0: zero points are 0, from 2 bits on. Default 0. */
  int32_t per_channel; /**< Not 0 (default): a scale for each output channel; 0: one for the tensor. */
  /** Not 0: searches an error for each weight, so that the file is as small as it gets while the outputs' mean cosine
   * to the float model's is at least cosine_target, over at most 64 samples of the data set, or over random inputs
   * without one. Default 0. */
  int32_t auto_tune;
  int32_t max_iterations;         /**< of `auto_tune`, 1 at least. Default 40. */
  int32_t range_search;           /**< 1: ranges of least squared error; 0: those of the weights; -1 (default): 1 below
                                   * 8 bits, else 0. */
  qlite_weight_rounding rounding; /**< Default QLITE_ROUND_AUTOMATIC. */
  /** Not 0 (default): mean and spread of each channel's weights are restored on decoding. Not in blocks, and not of
   * weights rounded by QLITE_ROUND_GPTQ. */
  int32_t bias_correction;
  /** Above 0: each weight, from the last to the first, gets the narrowest width of 2 to 8 bits with which the outputs'
   * mean relative error over the data set is at most this, and 8 where none does; `bits`, which must not be 0, counts
   * for nothing. At most 1; needs data. `auto_tune` makes smaller files. Default 0. */
  double width_error;
} qlite_weight_quantizer_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_weight_quantizer_options_init(qlite_weight_quantizer_options* options, size_t struct_size);
/** Simplifies the graph and quantizes the constant inputs of Conv, ConvTranspose, Gemm, MatMul and Gather of two
 * dimensions or more. `options` NULL: defaults. `data_set` may be NULL but for QLITE_ROUND_GPTQ and width_error. The
 * result accounts for every weight; its graph has the same bytes for any number of threads. QLITE_OUT_OF_RANGE where
 * auto_tune finds no errors with the cosine that is asked for, QLITE_FAILED_PRECONDITION for weights or inputs that are
 * not finite and for a graph that is quantized already. */
QLITE_API qlite_status qlite_weight_quantize(const qlite_context* context, const qlite_graph* graph,
                                             const qlite_weight_quantizer_options* options,
                                             const qlite_data_set* data_set, qlite_quantization_result** result);
/** The graph with float32 constants of 128 elements or more stored as float16, each rounded to the nearest; all is
 * computed in float32. Constants that hold numbers beyond the range of float16 stay. The result accounts for every
 * float32 constant: 16 bits, or 32 and why. For a float graph, and for what a weight quantization left float. */
QLITE_API qlite_status qlite_graph_store_floats_as_half(const qlite_graph* graph, qlite_quantization_result** result);
/** The same with constants stored as `type`: QLITE_FLOAT16 or QLITE_BFLOAT16. */
QLITE_API qlite_status qlite_graph_store_floats_as(const qlite_graph* graph, qlite_element_type type,
                                                   qlite_quantization_result** result);
/** @} */

/** @defgroup sensitivity Sensitivity: what quantization costs at the outputs
 * @{ */

/** How far the float32 outputs of a network are from those of the float network, over samples. Never changes its
 * layout. */
typedef struct qlite_output_loss {
  double cosine; /**< mean over samples and outputs: 1 where both are 0, 0 where one is or one is not finite */
  double snr_db; /**< 10 log10(energy of the float outputs / energy of the difference), all together; infinite where
                  * equal */
  double top1;   /**< share of the rows (along the last dimension) whose largest element is in the same place */
} qlite_output_loss;
/** Runs both networks, which have the same inputs and outputs, over the first `samples` samples (0: all). The same bits
 * for any number of threads. QLITE_INVALID_ARGUMENT where inputs or outputs differ or there are no samples. */
QLITE_API qlite_status qlite_compare_outputs(const qlite_context* context, const qlite_graph* original,
                                             const qlite_graph* changed, const qlite_data_set* data_set,
                                             int64_t samples, qlite_output_loss* loss);

/** What each layer costs when it is quantized alone, the worst first. Immutable. */
typedef struct qlite_sensitivity qlite_sensitivity;
/** Quantizes the inputs and weights of one layer at a time and measures at the outputs, with `samples` samples spread
 * evenly over the data set (0: all; 32 mostly do); calibration takes all of them. Layers that the quantizer's options
 * leave float are not listed. The same bits for any number of threads. */
QLITE_API qlite_status qlite_quantizer_measure_sensitivity(const qlite_quantizer* quantizer, const qlite_graph* graph,
                                                           const qlite_data_set* data_set, int64_t samples,
                                                           qlite_sensitivity** sensitivity);
/** The same with the weights of one layer at a time; `options` NULL: defaults. */
QLITE_API qlite_status qlite_measure_weight_sensitivity(const qlite_context* context, const qlite_graph* graph,
                                                        const qlite_weight_quantizer_options* options,
                                                        const qlite_data_set* data_set, int64_t samples,
                                                        qlite_sensitivity** sensitivity);
/** Gives the list up. */
QLITE_API qlite_status qlite_sensitivity_release(qlite_sensitivity* sensitivity);
/** How many layers there are. */
QLITE_API qlite_status qlite_sensitivity_count(const qlite_sensitivity* sensitivity, size_t* count);
/** A layer quantized alone. */
typedef struct qlite_layer_sensitivity {
  size_t struct_size; /**< sizeof(qlite_layer_sensitivity) */
  const char* node;
  const char* op;
  qlite_output_loss loss;
  int32_t bits;     /**< of its weights */
  int32_t reserved; /**< 0 */
} qlite_layer_sensitivity;
/** Layer number `index`: the worst first by signal-to-noise ratio, in topological order where that is the same. */
QLITE_API qlite_status qlite_sensitivity_get(const qlite_sensitivity* sensitivity, size_t index,
                                             qlite_layer_sensitivity* layer);
/** @} */

/** @defgroup target Loss target: quantization within a bound on the loss
 * @{ */

/** What a bound is on. */
typedef int32_t qlite_loss_measure;
enum {
  QLITE_LOSS_COSINE = 0, /**< `cosine` of qlite_output_loss is at least the bound, within (0, 1]. */
  QLITE_LOSS_SNR = 1,    /**< `snr_db` is at least the bound. */
  QLITE_LOSS_TOP1 = 2    /**< `top1` is at most the bound, in points of a hundred, below 1: within [0, 100). */
};

/** The loss that quantization may cause, and how to keep to it. */
typedef struct qlite_loss_target {
  size_t struct_size;          /**< sizeof(qlite_loss_target) */
  double bound;                /**< Default 0.995. */
  int64_t samples;             /**< to hold the target on, spread evenly over the data set; 0 (default): all */
  int64_t sensitivity_samples; /**< to rank layers with; 0: all. Default 32. */
  qlite_loss_measure measure;  /**< Default QLITE_LOSS_COSINE. */
  /** Not 0: first tries what other options of the quantization help against the causes that a report finds, and keeps
   * those that lower the loss. Default 0. */
  int32_t fix;
  /** Of full quantization with the options as given: resumes or takes the place of its calibration, while the samples
   * measure the loss. NULL (default): none. QLITE_INVALID_ARGUMENT for weight quantization. */
  const qlite_calibration_table* resume;
} qlite_loss_target;
/** Fills `target` with defaults. */
QLITE_API qlite_status qlite_loss_target_init(qlite_loss_target* target, size_t struct_size);
/** Full quantization that keeps the loss at the outputs within a bound: where it misses the target, the most sensitive
 * layers are left float, as few of them as it takes. The same result for any number of threads; it keeps the float
 * graph. `target` NULL: defaults. The target is missed only where the progress callback asked to stop: then the result
 * is the best so far, or QLITE_CANCELLED where there is none. */
QLITE_API qlite_status qlite_quantizer_run_to_target(const qlite_quantizer* quantizer, const qlite_graph* graph,
                                                     const qlite_data_set* data_set, const qlite_loss_target* target,
                                                     qlite_quantization_result** result);
/** The same for weight quantization, which gives such layers more bits or leaves them float; `options` NULL: defaults.
 */
QLITE_API qlite_status qlite_weight_quantize_to_target(const qlite_context* context, const qlite_graph* graph,
                                                       const qlite_weight_quantizer_options* options,
                                                       const qlite_data_set* data_set, const qlite_loss_target* target,
                                                       qlite_quantization_result** result);

/** What became of a target. */
typedef struct qlite_target_outcome {
  size_t struct_size;           /**< sizeof(qlite_target_outcome) */
  qlite_output_loss first_loss; /**< with the options as given */
  qlite_output_loss loss;       /**< of the result */
  size_t fix_count;             /**< options that were changed and helped */
  size_t raised_count;          /**< layers that were given more bits */
  int32_t met;                  /**< Not 0: the target was met. */
  int32_t reserved;             /**< 0 */
} qlite_target_outcome;
/** Fills in losses and counts; QLITE_NOT_FOUND, here and below, for a result that was not made for a target. */
QLITE_API qlite_status qlite_quantization_result_get_target(const qlite_quantization_result* result,
                                                            qlite_target_outcome* outcome);
/** Option number `index` of those that were changed and helped, in that order. */
QLITE_API qlite_status qlite_quantization_result_get_fix(const qlite_quantization_result* result, size_t index,
                                                         const char** fix);
/** What was expected of it in dB, at the tensors whose findings asked for it (0: none did), and the signal-to-noise
 * ratio at the outputs before and with it. */
QLITE_API qlite_status qlite_quantization_result_get_fix_gain(const qlite_quantization_result* result, size_t index,
                                                              double* expected_db, double* before_db, double* after_db);
/** Layer number `index` of those that were given more bits than the options say, in topological order; `bits` is 32
 * where it stays float. */
QLITE_API qlite_status qlite_quantization_result_get_raised(const qlite_quantization_result* result, size_t index,
                                                            const char** node, const char** op, int32_t* bits);
/** The ranking that layers were chosen by, as a handle of its own; empty where the target was met without. */
QLITE_API qlite_status qlite_quantization_result_sensitivity(const qlite_quantization_result* result,
                                                             qlite_sensitivity** sensitivity);
/** @} */

/** @defgroup report Report: where the accuracy went
 * @{ */

/** Every tensor of a quantized network beside that of the float network, on given samples. Immutable. */
typedef struct qlite_report qlite_report;

/** What a report is to hold. */
typedef struct qlite_report_options {
  size_t struct_size; /**< sizeof(qlite_report_options) */
  int64_t rounds;     /**< samples to run, the first ones of the data set; 0: all (default) */
  /** Whose account says why nodes stayed float, for `reason` in qlite_layer_report; NULL (default): none. */
  const qlite_quantization_result* reasons;
  const qlite_sensitivity* sensitivity; /**< to be written with the rest; NULL: none (default) */
  /** Not 0: the time of every node is measured in both networks, the one thing of a report that differs from run to
   * run. Default 0. */
  int32_t times;
  int32_t reserved; /**< 0 */
} qlite_report_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_report_options_init(qlite_report_options* options, size_t struct_size);
/** Runs both networks over the samples. `original`: the float graph that quantization started from
 * (qlite_quantization_result_float_graph(); of a weight quantization the simplified graph), whose nodes have the names
 * that they have in `quantized`. The same report for any number of threads. `options` NULL: defaults. */
QLITE_API qlite_status qlite_report_create(const qlite_context* context, const qlite_graph* original,
                                           const qlite_graph* quantized, const qlite_data_set* data_set,
                                           const qlite_report_options* options, qlite_report** report);
/** Gives the report up. */
QLITE_API qlite_status qlite_report_release(qlite_report* report);
/** Writes tables into `folder`, which must exist: output_summary.csv, round_0.csv and so on for each sample, and
 * causes.csv, quant_param.csv where anything is quantized, and sensitivity.csv where the options gave it.
 * docs/report.md lists the columns. Files of these names are replaced. */
QLITE_API qlite_status qlite_report_write_csv(const qlite_report* report, const char* folder);
/** Writes report.html into `folder`, which must exist: one file that needs no other and no network, with the summary,
 * error and size of every layer, histograms, causes and remedies. */
QLITE_API qlite_status qlite_report_write_html(const qlite_report* report, const char* folder);

/** How much a report holds. */
typedef struct qlite_report_info {
  size_t struct_size; /**< sizeof(qlite_report_info) */
  size_t round_count; /**< samples that were run */
  size_t parameter_count;
  size_t layer_count;
  size_t finding_count;
} qlite_report_info;
/** Fills in the counts. */
QLITE_API qlite_status qlite_report_get_info(const qlite_report* report, qlite_report_info* info);
/** How many tensors and outputs of the network round number `round` tells of. */
QLITE_API qlite_status qlite_report_get_round(const qlite_report* report, size_t round, size_t* tensor_count,
                                              size_t* output_count);

/** Of all elements of a tensor. A quantile p is the element at position floor(p * n) of the n in ascending order; NaN
 * counts as the largest. Never changes its layout. */
typedef struct qlite_tensor_statistics {
  float min, quartile1, median, quartile3, max;
  int32_t reserved; /**< 0 */
  double mean;
  double variance; /**< mean squared distance to the mean */
  double sparsity; /**< share of exact zeros */
} qlite_tensor_statistics;
/** A tensor that a node reads or makes. */
typedef struct qlite_tensor_report {
  size_t struct_size; /**< sizeof(qlite_tensor_report) */
  const char* node;   /**< names in the float graph */
  const char* op;
  const char* tensor;
  int32_t is_output; /**< Not 0: of the node. */
  int32_t is_weight; /**< Not 0: a constant. */
  /** Not 0: the following has been compared; 0: the quantized network has no such tensor in memory. */
  int32_t compared;
  int32_t reserved;                  /**< 0 */
  qlite_tensor_statistics original;  /**< in the float network */
  qlite_tensor_statistics quantized; /**< as real numbers */
  double clip;                       /**< share of the float elements outside the quantized ones' [min, max] */
  double cosine; /**< of the angle between the two: 1 where both are 0, 0 where one is or one is not finite */
  double snr_db; /**< 10 log10(energy of the float tensor / energy of the difference); infinite where equal */
} qlite_tensor_report;
/** Tensor number `index` of a round, in topological order of the nodes; of each the inputs first. */
QLITE_API qlite_status qlite_report_get_tensor(const qlite_report* report, size_t round, size_t index,
                                               qlite_tensor_report* tensor);
/** Output number `index` of the network in a round: its name, and its cosine to that of the float network. */
QLITE_API qlite_status qlite_report_get_output(const qlite_report* report, size_t round, size_t index,
                                               const char** tensor, double* cosine);
/** A pair of scale and zero point of the quantized network. */
typedef struct qlite_parameter_report {
  size_t struct_size; /**< sizeof(qlite_parameter_report) */
  const char* node;
  const char* op;
  const char* tensor;
  int64_t elements; /**< of the tensor */
  const int64_t* dims;
  size_t rank;
  float scale;
  int32_t zero_point;
  int32_t bits;
  float correction_variance; /**< as variance_ratios in qlite_quant_params */
  float correction_mean;     /**< as mean_shifts there */
  int32_t reserved;          /**< 0 */
} qlite_parameter_report;
/** Pair number `index`. */
QLITE_API qlite_status qlite_report_get_parameter(const qlite_report* report, size_t index,
                                                  qlite_parameter_report* parameter);

/** A node of the float network, and what became of it. */
typedef struct qlite_layer_report {
  size_t struct_size; /**< sizeof(qlite_layer_report) */
  const char* node;   /**< empty for the inputs of the network */
  const char* op;     /**< "Input" for these */
  const char* reason; /**< why it stayed float, where the options say; else empty */
  /** Of the constants that the node is the first to read, in the float and the quantized network. */
  int64_t original_bytes, quantized_bytes;
  double original_ms, quantized_ms; /**< of one run; -1 where not measured */
  size_t weight_count;              /**< float32 constants, biases included */
  size_t activation_count;          /**< what the node makes */
  int32_t integer;                  /**< Not 0: it computes on integers. */
  int32_t reserved;                 /**< 0 */
} qlite_layer_report;
/** Layer number `index`, in topological order, the inputs first. */
QLITE_API qlite_status qlite_report_get_layer(const qlite_report* report, size_t index, qlite_layer_report* layer);
/** A tensor over all samples of a report. */
typedef struct qlite_tensor_summary {
  size_t struct_size;       /**< sizeof(qlite_tensor_summary) */
  const char* tensor;       /**< name in the float graph */
  int64_t elements;         /**< of one sample */
  int64_t scales;           /**< pairs of scale and zero point */
  int32_t bits;             /**< of its integers in the quantized network; 32: it is float there */
  int32_t compared;         /**< Not 0: snr_db and cosine are known; 0: the quantized network has no such tensor. */
  float grid_min, grid_max; /**< the real numbers that the integers reach, the outermost of all pairs */
  float min, max;           /**< of the float tensor */
  double snr_db, cosine;    /**< as in qlite_tensor_report, all samples together as one vector */
  double clip;              /**< share of the float elements outside the grid */
  /** How often values lie in each of equal parts of [histogram_min, histogram_max], over the first samples:
   * `original_parts` counts of the float tensor and `quantized_parts` of the quantized one, 0 where there is nothing to
   * count. */
  float histogram_min, histogram_max;
  const uint64_t* original_histogram;
  const uint64_t* quantized_histogram;
  size_t original_parts, quantized_parts;
} qlite_tensor_summary;
/** Constant number `index` of a layer. */
QLITE_API qlite_status qlite_report_get_layer_weight(const qlite_report* report, size_t layer, size_t index,
                                                     qlite_tensor_summary* summary);
/** Result number `index` of a layer. */
QLITE_API qlite_status qlite_report_get_layer_activation(const qlite_report* report, size_t layer, size_t index,
                                                         qlite_tensor_summary* summary);

/** Why a layer lost accuracy to quantization. */
typedef int32_t qlite_loss_cause;
enum {
  QLITE_CAUSE_OUTLIER_CHANNEL = 0,     /**< Few channels are so much larger that the others' step is far too coarse. */
  QLITE_CAUSE_DEAD_CHANNEL = 1,        /**< A channel alive in float is the same number everywhere once quantized. */
  QLITE_CAUSE_RANGE_CLIPPED = 2,       /**< Cutting values off costs more than rounding them. */
  QLITE_CAUSE_ONE_SIDED_SYMMETRIC = 3, /**< Values of one sign leave half of the integers unused. */
  QLITE_CAUSE_DEPTHWISE_SPREAD = 4,    /**< Channels of depthwise weights share a scale and differ much in range. */
  QLITE_CAUSE_MISMATCHED_INPUTS = 5,   /**< Inputs of an Add or Concat differ so much that one gets few steps. */
  QLITE_CAUSE_BIAS_OVERFLOW = 6,       /**< The scale of small weights had to grow for the bias to fit. */
  QLITE_CAUSE_SATURATION = 7,    /**< Results run into an end of their integers where the float ones lie inside. */
  QLITE_CAUSE_UNLIKE_SAMPLES = 8 /**< Few samples with far larger values set the range for all. */
};
/** What helps. */
typedef int32_t qlite_remedy;
enum {
  QLITE_REMEDY_PER_CHANNEL = 0,     /**< per_channel of either options */
  QLITE_REMEDY_EQUALIZE = 1,        /**< equalization of qlite_quantizer_options */
  QLITE_REMEDY_REMOVE_OUTLIERS = 2, /**< activation_method "KL" or "REMOVAL_OUTLIER" there */
  QLITE_REMEDY_FULL_RANGE = 3,      /**< activation_method "MAX_MIN" there */
  QLITE_REMEDY_ASYMMETRIC = 4,      /**< symmetric 0 in qlite_weight_quantizer_options */
  QLITE_REMEDY_KEEP_FLOAT = 5,      /**< skip_nodes of either options */
  QLITE_REMEDY_CHECK_SAMPLES = 6    /**< Look at the sample that is named: no option helps. */
};
/** "outlier channel", "range clipped", ...; empty for another number. The string lives as long as the library. */
QLITE_API const char* qlite_loss_cause_name(qlite_loss_cause cause);
/** "give each output channel a scale of its own", ...; empty for another number. The string lives as long as the
 * library. */
QLITE_API const char* qlite_remedy_text(qlite_remedy remedy);
/** A cause of loss that a report found. */
typedef struct qlite_finding {
  size_t struct_size; /**< sizeof(qlite_finding) */
  const char* node;   /**< names in the float graph; the node makes the tensor, or reads it where it is a constant */
  const char* op;
  const char* tensor;
  const char* evidence; /**< one sentence with the numbers */
  /** By how many dB the remedy should raise the signal-to-noise ratio of what suffers: of the tensor, or of the
   * channels or input that the evidence names. */
  double gain_db;
  size_t number_count; /**< the numbers of the evidence, for programs */
  qlite_loss_cause cause;
  qlite_remedy remedy;
} qlite_finding;
/** Finding number `index`, the largest expected gain first. */
QLITE_API qlite_status qlite_report_get_finding(const qlite_report* report, size_t index, qlite_finding* finding);
/** Number `index` of a finding's evidence: "ratio", "channel", "sample", ... */
QLITE_API qlite_status qlite_report_get_finding_number(const qlite_report* report, size_t finding, size_t index,
                                                       const char** name, double* value);
/** @} */

/** @defgroup export Export
 * @{ */

/** A line for the file's manifest. Never changes its layout. */
typedef struct qlite_manifest_entry {
  const char* key;
  const char* value;
} qlite_manifest_entry;

/** How a graph is written. */
typedef struct qlite_export_options {
  size_t struct_size;                   /**< sizeof(qlite_export_options) */
  qlite_model_format format;            /**< Default QLITE_FORMAT_AUTO: by the path's extension. */
  int32_t onnx_uint8_activations;       /**< ONNX: activations as uint8 (not 0, default) or int8. */
  const qlite_manifest_entry* manifest; /**< Written into the file beside the library's version. */
  size_t manifest_count;
  const qlite_data_set* check_data; /**< Samples to run what was written on; NULL: seeded random inputs. */
  int32_t check_samples;            /**< Default 2. */
  int32_t reserved;                 /**< 0 */
  /** Not 0: .qlite files store integer weights in the smallest of several forms, to be decoded when read. Default 0. */
  int32_t encode_weights;
  int32_t reserved2; /**< 0 */
} qlite_export_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_export_options_init(qlite_export_options* options, size_t struct_size);

/** Writes a graph to a file, whole or not at all: what was written is read back, run beside the graph and compared
 * before it takes its name. The same graph and options give the same bytes on every machine. `options` NULL: defaults.
 */
QLITE_API qlite_status qlite_graph_save(const qlite_context* context, const qlite_graph* graph, const char* path,
                                        const qlite_export_options* options);
/** The same to a function of the host, which is called only after the check; `options` must name the format. */
QLITE_API qlite_status qlite_graph_save_to(const qlite_context* context, const qlite_graph* graph,
                                           qlite_write_function write, void* user, const qlite_export_options* options);
/** The same as bytes in memory, without the check. */
QLITE_API qlite_status qlite_graph_serialize(const qlite_graph* graph, const qlite_export_options* options,
                                             qlite_bytes** bytes);
/** @} */

/** @defgroup session Session: inference
 * @{ */

/** Executes a graph, float, int8 or mixed. One thread at a time; sessions and forks are independent of each other. */
typedef struct qlite_session qlite_session;

/** When integer weights of a weight-quantized graph become float32. The results are the same bits. */
typedef int32_t qlite_weight_decoding;
enum {
  /** On the fly where the graph's metadata say "qlite.dequant_strategy" = "ON_THE_FLY", else when the session is made.
   */
  QLITE_DECODE_AS_MODEL_SAYS = 0,
  QLITE_DECODE_AT_LOAD = 1, /**< when the session is made */
  /** Weights of Conv, Gemm and MatMul stay in memory as integers of 2, 4 or 8 bits and are decoded inside the product:
   * a quarter of the memory or less, and faster single rows. Others are decoded when the session is made. */
  QLITE_DECODE_ON_THE_FLY = 2
};

/** How a session is made. */
typedef struct qlite_session_options {
  size_t struct_size;              /**< sizeof(qlite_session_options) */
  const qlite_input_shape* shapes; /**< extents of inputs; those that stay unknown become 1 */
  size_t shape_count;
  /** Not 0: the time of every node is measured, and those that otherwise pass rows on to each other while these are in a
   * cache run one after the other. */
  int32_t profile;
  int32_t reserved; /**< 0 */
  /** Not 0: constant weights of float products are kept in float16. Half the memory, and faster where the processor
   * computes in it; results are near those of float32, with other bits on other processors, and inputs of products must
   * stay within 65504. Default 0. */
  int32_t float16;
  int32_t reserved2;                     /**< 0 */
  qlite_weight_decoding weight_decoding; /**< Default QLITE_DECODE_AS_MODEL_SAYS. */
  int32_t reserved3;                     /**< 0 */
} qlite_session_options;
/** Fills `options` with defaults. */
QLITE_API qlite_status qlite_session_options_init(qlite_session_options* options, size_t struct_size);

/** Plans memory and packs weights, once; running allocates nothing. QLITE_UNIMPLEMENTED names each node that cannot
 * run, QLITE_RESOURCE_EXHAUSTED a plan beyond the context's memory budget. `options` NULL: defaults. */
QLITE_API qlite_status qlite_session_create(const qlite_context* context, const qlite_graph* graph,
                                            const qlite_session_options* options, qlite_session** session);
/** Another session over the same packed weights, with its own activations and on `context`'s threads. */
QLITE_API qlite_status qlite_session_fork(const qlite_session* session, const qlite_context* context,
                                          qlite_session** fork);
/** Gives the session up. */
QLITE_API qlite_status qlite_session_release(qlite_session* session);

/** What a session makes of float16. */
typedef int32_t qlite_float16_use;
enum {
  QLITE_FLOAT16_NONE = 0,      /**< Nothing: not asked for, or no product that it is for. */
  QLITE_FLOAT16_STORAGE = 1,   /**< Weights are kept in float16, products computed in float32. */
  QLITE_FLOAT16_ARITHMETIC = 2 /**< Products are computed in float16, in short sums that are added in float32. */
};

/** What a session has, and the memory it uses. */
typedef struct qlite_session_info {
  size_t struct_size; /**< sizeof(qlite_session_info) */
  size_t input_count, output_count;
  size_t profile_count;       /**< nodes measured */
  uint64_t weights_bytes;     /**< packed; shared by forks */
  uint64_t activations_bytes; /**< of this session */
  qlite_float16_use float16;
  int32_t reserved;     /**< 0 */
  uint64_t coded_bytes; /**< of weights_bytes: weights that are decoded on the fly, with their parameters */
} qlite_session_info;
/** Fills in counts and sizes. */
QLITE_API qlite_status qlite_session_get_info(const qlite_session* session, qlite_session_info* info);
/** Input number `index`: its name, type, extents, and the session's own memory, which may be written directly. */
QLITE_API qlite_status qlite_session_get_input(const qlite_session* session, size_t index, qlite_sample_buffer* buffer);
/** Output number `index` in the same way. Its content is that of the last run and must not be changed. */
QLITE_API qlite_status qlite_session_get_output(const qlite_session* session, size_t index,
                                                qlite_sample_buffer* buffer);
/** Copies an input in; `size` must be exactly its size. Inputs keep their content over runs. */
QLITE_API qlite_status qlite_session_set_input(qlite_session* session, size_t index, const void* data, size_t size);
/** Copies an output out; `size` must be exactly its size. */
QLITE_API qlite_status qlite_session_copy_output(const qlite_session* session, size_t index, void* data, size_t size);
/** Runs the network once. */
QLITE_API qlite_status qlite_session_run(qlite_session* session);

/** A value as it lies in memory while a network runs; valid during the call that it is handed to. */
typedef struct qlite_tapped_value {
  size_t struct_size;  /**< sizeof(qlite_tapped_value) */
  const int64_t* dims; /**< in the graph's layout */
  size_t rank;
  const void* data;
  int64_t elements;
  qlite_element_type type;
  int32_t value;         /**< the value's number in the graph */
  int32_t channels_last; /**< Not 0: [N, C, spatial...] lies in memory as [N, spatial..., C]. */
  int32_t offset_by_128; /**< Not 0: an int8 value q is held as the uint8 q + 128. */
} qlite_tapped_value;
/** Sees a value; anything but QLITE_OK is returned by the run, whose remaining values are not shown. */
typedef qlite_status (*qlite_tap_function)(void* user, const qlite_tapped_value* value);
/** Runs the network once and shows every value that exists in memory (not those fused away), first the graph's inputs
 * and values that do not depend on them, which were computed when the session was made. */
QLITE_API qlite_status qlite_session_run_tapped(qlite_session* session, qlite_tap_function tap, void* user);
/** For tap functions: the value as `elements` floats in row-major order of the graph's layout, integers dequantized by
 * `params` (NULL: as they are). */
QLITE_API qlite_status qlite_tapped_value_copy(const qlite_tapped_value* value, const qlite_quant_params* params,
                                               float* out, int64_t elements);
/** The measured time of node number `index` over all runs. Strings are valid until the next run. */
QLITE_API qlite_status qlite_session_get_profile(const qlite_session* session, size_t index, const char** name,
                                                 const char** op, int64_t* calls, double* total_ms);
/** @} */

/** @defgroup plugins Plug-ins: observers and preprocessing steps of the host
 * @{ */

/** An observer: watches the values of one tensor over all samples and proposes its range. The state must not grow with
 * the number of samples nor depend on the order of samples and merges, or results depend on the number of threads.
 * Functions of different states are called from several threads at once. Any status but QLITE_OK ends the operation,
 * which returns it. */
typedef struct qlite_observer_type {
  size_t struct_size; /**< sizeof(qlite_observer_type) */
  void* user;         /**< passed to `create` */
  /** Makes an empty state. */
  qlite_status (*create)(void* user, void** state);
  /** Frees a state. */
  void (*destroy)(void* state);
  /** All values of the tensor for one sample, one at least. They are finite; `min` and `max` are the least and the
   * greatest of them. */
  qlite_status (*observe)(void* state, const float* values, size_t count, float min, float max);
  /** Adds what `other` has seen. */
  qlite_status (*merge)(void* state, const void* other);
  /** Passes the state as bytes to write(sink, ...), once or in pieces; equal states as equal bytes. */
  qlite_status (*save)(const void* state, qlite_write_function write, void* sink);
  /** Takes a saved state over. Must survive any bytes. */
  qlite_status (*load)(void* state, const void* data, size_t size);
  /** The range for `bits`-bit integers; QLITE_FAILED_PRECONDITION where nothing was seen. */
  qlite_status (*compute)(const void* state, int32_t bits, float* min, float* max);
  qlite_release_function release; /**< release(user) when the type is no longer needed, on failure too; may be NULL. */
} qlite_observer_type;
/** Adds a calibration method by name; the type is copied. QLITE_ALREADY_EXISTS where the name is taken. Objects made
 * before do not see it. */
QLITE_API qlite_status qlite_context_register_observer(const qlite_context* context, const char* name,
                                                       const qlite_observer_type* type);

/** One observer, the library's or a registered one, for values that the host has itself. One thread at a time. */
typedef struct qlite_observer qlite_observer;
/** An observer of that name which has seen nothing; QLITE_NOT_FOUND names the nearest. */
QLITE_API qlite_status qlite_observer_create(const qlite_context* context, const char* name, qlite_observer** observer);
/** Gives the observer up. */
QLITE_API qlite_status qlite_observer_release(qlite_observer* observer);
/** Shows it the values of one sample: `count`, 1 at least, all finite (QLITE_FAILED_PRECONDITION). */
QLITE_API qlite_status qlite_observer_observe(qlite_observer* observer, const float* values, size_t count);
/** Adds what another observer of the same name has seen, in whatever order to the same bits. */
QLITE_API qlite_status qlite_observer_merge(qlite_observer* observer, const qlite_observer* other);
/** Its state as bytes, equal for equal states. */
QLITE_API qlite_status qlite_observer_save(const qlite_observer* observer, qlite_bytes** state);
/** Takes a saved state over in place of its own; damaged ones are refused. */
QLITE_API qlite_status qlite_observer_load(qlite_observer* observer, const void* state, size_t size);
/** The range for `bits`-bit integers (2..16); QLITE_FAILED_PRECONDITION where nothing was seen. */
QLITE_API qlite_status qlite_observer_compute(const qlite_observer* observer, int32_t bits, float* min, float* max);

/** A preprocessing step: changes samples before the network sees them. Settings and what it learnt are its state. */
typedef struct qlite_preprocessor_type {
  size_t struct_size; /**< sizeof(qlite_preprocessor_type) */
  void* user;         /**< passed to `create` */
  /** Makes a step with its default settings. */
  qlite_status (*create)(void* user, void** state);
  /** Frees a step. */
  void (*destroy)(void* state);
  /** Changes a sample in place, one buffer for each input. Called from several threads at once on the same state. */
  qlite_status (*apply)(const void* state, const qlite_sample_buffer* inputs, size_t input_count);
  /** Passes the state as bytes to write(sink, ...); equal states as equal bytes. It becomes part of the data set's
   * fingerprint. */
  qlite_status (*save)(const void* state, qlite_write_function write, void* sink);
  /** Takes a saved state over. Must survive any bytes. */
  qlite_status (*load)(void* state, const void* data, size_t size);
  /** For steps that learn from samples (see qlite_preprocessor_fit): takes one sample in. NULL for others. */
  qlite_status (*observe)(void* state, const qlite_sample_buffer* inputs, size_t input_count);
  /** Adds what `other` has learnt; NULL for steps without `observe`. The order must not matter. */
  qlite_status (*merge)(void* state, const void* other);
  qlite_release_function release; /**< release(user) when the type is no longer needed, on failure too; may be NULL. */
} qlite_preprocessor_type;
/** Adds a preprocessing step by name, for qlite_data_set_preprocess(); the type is copied. QLITE_ALREADY_EXISTS where
 * the name is taken. */
QLITE_API qlite_status qlite_context_register_preprocessor(const qlite_context* context, const char* name,
                                                           const qlite_preprocessor_type* type);
/** Lets the step `name` learn from all samples, spread over the context's threads, and gives its state, which is
 * settings for qlite_data_set_preprocess(). QLITE_UNIMPLEMENTED where the step does not learn. */
QLITE_API qlite_status qlite_preprocessor_fit(const qlite_context* context, const char* name,
                                              const qlite_data_set* data_set, qlite_bytes** state);
/** Two states of the step `name` that learnt from different samples, as one. */
QLITE_API qlite_status qlite_preprocessor_merge(const qlite_context* context, const char* name, const void* a,
                                                size_t a_size, const void* b, size_t b_size, qlite_bytes** merged);

/** What is registered under which name. */
typedef int32_t qlite_registry;
enum { QLITE_REGISTRY_OBSERVERS = 0, QLITE_REGISTRY_PREPROCESSORS = 1 };
/** The names, the library's own included, one a line in bytewise order. */
QLITE_API qlite_status qlite_context_names(const qlite_context* context, qlite_registry registry, qlite_bytes** names);
/** The index of the known name nearest to a misspelt one, -1 where none is near. */
QLITE_API qlite_status qlite_nearest_name(const char* wanted, const char* const* known, size_t count, int64_t* index);
/** @} */

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QLITE_H_ */
