/* The functions of libqlite.so that this host uses, found at run time: nothing is linked. */
#ifndef QLITE_EXAMPLES_C_HOST_LIBRARY_H_
#define QLITE_EXAMPLES_C_HOST_LIBRARY_H_

#include "qlite.h"

/* X(result, name, parameters) */
#define FOR_EACH_FUNCTION(X)                                                                                           \
  X(const char*, qlite_version_string, (void))                                                                         \
  X(const char*, qlite_status_name, (qlite_status))                                                                    \
  X(qlite_status, qlite_set_allocator, (const qlite_allocator*))                                                       \
  X(qlite_status, qlite_error_get, (const qlite_error*, qlite_error_info*))                                            \
  X(qlite_status, qlite_error_release, (qlite_error*))                                                                 \
  X(qlite_status, qlite_last_error, (const qlite_context*, qlite_error**))                                             \
  X(qlite_status, qlite_context_options_init, (qlite_context_options*, size_t))                                        \
  X(qlite_status, qlite_context_create, (uint32_t, const qlite_context_options*, qlite_context**, qlite_error**))      \
  X(qlite_status, qlite_context_release, (qlite_context*))                                                             \
  X(qlite_status, qlite_context_register_observer, (const qlite_context*, const char*, const qlite_observer_type*))    \
  X(qlite_status, qlite_context_register_preprocessor,                                                                 \
    (const qlite_context*, const char*, const qlite_preprocessor_type*))                                               \
  X(qlite_status, qlite_graph_load, (const qlite_context*, const char*, qlite_model_format, qlite_graph**))            \
  X(qlite_status, qlite_graph_release, (qlite_graph*))                                                                 \
  X(qlite_status, qlite_graph_get_info, (const qlite_graph*, qlite_graph_info*))                                       \
  X(qlite_status, qlite_graph_fingerprint, (const qlite_graph*, uint64_t*))                                            \
  X(qlite_status, qlite_graph_get_value, (const qlite_graph*, int32_t, qlite_value_info*))                             \
  X(qlite_status, qlite_graph_save,                                                                                    \
    (const qlite_context*, const qlite_graph*, const char*, const qlite_export_options*))                              \
  X(qlite_status, qlite_image_options_init, (qlite_image_options*, size_t))                                            \
  X(qlite_status, qlite_data_set_open_images,                                                                          \
    (const qlite_data_target*, const char*, int64_t, const qlite_image_options*, qlite_data_set**))                    \
  X(qlite_status, qlite_data_set_preprocess,                                                                           \
    (const qlite_data_set*, const char*, const void*, size_t, qlite_data_set**))                                       \
  X(qlite_status, qlite_data_set_read, (const qlite_data_set*, int64_t, void* const*, const size_t*, size_t))          \
  X(qlite_status, qlite_data_set_release, (qlite_data_set*))                                                           \
  X(qlite_status, qlite_quantizer_options_init, (qlite_quantizer_options*, size_t))                                    \
  X(qlite_status, qlite_quantizer_create, (const qlite_context*, const qlite_quantizer_options*, qlite_quantizer**))   \
  X(qlite_status, qlite_quantizer_run,                                                                                 \
    (const qlite_quantizer*, const qlite_graph*, const qlite_data_set*, const qlite_calibration_table*,                \
     qlite_quantization_result**))                                                                                     \
  X(qlite_status, qlite_quantizer_release, (qlite_quantizer*))                                                         \
  X(qlite_status, qlite_quantization_result_get_info, (const qlite_quantization_result*, qlite_quantization_info*))    \
  X(qlite_status, qlite_quantization_result_get_node, (const qlite_quantization_result*, size_t, qlite_node_outcome*)) \
  X(qlite_status, qlite_quantization_result_graph, (const qlite_quantization_result*, qlite_graph**))                  \
  X(qlite_status, qlite_quantization_result_table, (const qlite_quantization_result*, qlite_calibration_table**))      \
  X(qlite_status, qlite_quantization_result_release, (qlite_quantization_result*))                                     \
  X(qlite_status, qlite_calibration_table_get_info, (const qlite_calibration_table*, qlite_calibration_info*))         \
  X(qlite_status, qlite_calibration_table_release, (qlite_calibration_table*))                                         \
  X(qlite_status, qlite_export_options_init, (qlite_export_options*, size_t))                                          \
  X(qlite_status, qlite_session_create,                                                                                \
    (const qlite_context*, const qlite_graph*, const qlite_session_options*, qlite_session**))                         \
  X(qlite_status, qlite_session_get_input, (const qlite_session*, size_t, qlite_sample_buffer*))                       \
  X(qlite_status, qlite_session_get_output, (const qlite_session*, size_t, qlite_sample_buffer*))                      \
  X(qlite_status, qlite_session_run, (qlite_session*))                                                                 \
  X(qlite_status, qlite_session_release, (qlite_session*))

#define DECLARE_MEMBER(result, name, parameters) result(*name) parameters;
struct library {
  void* handle;
  FOR_EACH_FUNCTION(DECLARE_MEMBER)
};
#undef DECLARE_MEMBER

/* 0 where the library is loaded; otherwise says on stderr what is wrong. */
int library_open(struct library* library, const char* path);
void library_close(struct library* library);

#endif /* QLITE_EXAMPLES_C_HOST_LIBRARY_H_ */
