// How a function of qlite.h runs: it finds its objects, does its work, and every failure becomes a status.
#ifndef QLITE_CAPI_CALL_H_
#define QLITE_CAPI_CALL_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "capi/error.h"
#include "capi/failure.h"
#include "capi/handle_table.h"
#include "capi/qlite.h"

namespace qlite::capi {

// Where a context keeps its last failure.
class LastError {
 public:
  // Takes no memory where none can be had: then only the code is kept.
  void Set(const absl::Status& status) noexcept;
  void SetOutOfMemory() noexcept;
  // Null where nothing has failed yet.
  std::shared_ptr<Error> Get() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Error> error_;
  bool out_of_memory_ = false;
};

// The object behind a handle, null where it is none of that kind.
template <class Body>
std::shared_ptr<Body> Find(const void* handle) {
  return std::static_pointer_cast<Body>(HandleTable::Get().Find(handle, Body::kKind));
}

// The object behind a handle that is an argument.
template <class Body>
std::shared_ptr<Body> Needed(const typename Body::Handle* handle, std::string_view what) {
  std::shared_ptr<Body> body = Find<Body>(handle);
  if (body == nullptr)
    Refuse(std::string(what) + (handle == nullptr ? " is NULL" : " is not a live handle of its kind"));
  return body;
}

// The same where NULL means none.
template <class Body>
std::shared_ptr<Body> Optional(const typename Body::Handle* handle, std::string_view what) {
  return handle == nullptr ? nullptr : Needed<Body>(handle, what);
}

// A handle for an object; to be called last, when nothing can fail any more.
template <class Body>
typename Body::Handle* Publish(std::shared_ptr<Body> body) {
  return static_cast<typename Body::Handle*>(HandleTable::Get().Insert(Body::kKind, std::move(body)));
}

// Runs `work` and turns what it throws into a status, kept in `errors` where there is one.
template <class Work>
qlite_status Guard(LastError* errors, Work&& work) noexcept {
  try {
    try {
      work();
      return QLITE_OK;
    } catch (const Failure& failure) {
      if (errors != nullptr) errors->Set(failure.status());
      return static_cast<qlite_status>(failure.status().code());
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::length_error&) {  // a size that no memory can have
      throw std::bad_alloc();
    } catch (const std::exception& unexpected) {
      if (errors != nullptr) errors->Set(absl::InternalError(unexpected.what()));
      return QLITE_INTERNAL;
    }
  } catch (...) {
    if (errors != nullptr) errors->SetOutOfMemory();
    return QLITE_OUT_OF_MEMORY;
  }
}

// Runs work(body) on the object behind `handle`, whose context (where it has one) keeps a failure.
template <class Body, class Work>
qlite_status Call(const typename Body::Handle* handle, Work&& work) noexcept {
  const std::shared_ptr<Body> body = Find<Body>(handle);
  if (body == nullptr) return QLITE_INVALID_ARGUMENT;
  LastError* errors = nullptr;
  if constexpr (requires { body->errors(); }) errors = &body->errors();
  return Guard(errors, [&] { work(*body); });
}

// As Call for functions that make an object: *out is null unless they succeed. work(body) returns the new object.
template <class Body, class Out, class Work>
qlite_status Make(const typename Body::Handle* handle, Out** out, Work&& work) noexcept {
  if (out != nullptr) *out = nullptr;
  return Call<Body>(handle, [&](Body& body) {
    Needed(out, "the output parameter");
    *out = Publish(work(body));
  });
}

template <class Body>
qlite_status Release(typename Body::Handle* handle) noexcept {
  return Guard(nullptr, [&] {
    if (!HandleTable::Get().Remove(handle, Body::kKind)) Refuse("not a live handle");
  });
}

// --- structures that begin with struct_size. They may grow at their end; a host knows a first part of what the library
// knows, or the other way round.

// Larger ones are taken for a mistake, before anything behind them is touched.
inline constexpr size_t kMaxStructSize = 4096;

// The size of a structure when it was first published: less than that is a mistake. A structure that has grown says
// here which member was its first new one.
template <class S>
inline constexpr size_t kFirstSize = sizeof(S);
template <>
inline constexpr size_t kFirstSize<qlite_context_options> = offsetof(qlite_context_options, max_tensors);
template <>
inline constexpr size_t kFirstSize<qlite_quant_params> = offsetof(qlite_quant_params, variance_ratios);
template <>
inline constexpr size_t kFirstSize<qlite_tensor_calibration> = offsetof(qlite_tensor_calibration, channel_elements);
template <>
inline constexpr size_t kFirstSize<qlite_quantizer_options> = offsetof(qlite_quantizer_options, keep_float_graph);
template <>
inline constexpr size_t kFirstSize<qlite_quantization_info> = offsetof(qlite_quantization_info, weight_count);
template <>
inline constexpr size_t kFirstSize<qlite_weight_quantizer_options> = offsetof(qlite_weight_quantizer_options,
                                                                              width_error);
template <>
inline constexpr size_t kFirstSize<qlite_report_options> = offsetof(qlite_report_options, reasons);
template <>
inline constexpr size_t kFirstSize<qlite_report_info> = offsetof(qlite_report_info, layer_count);
template <>
inline constexpr size_t kFirstSize<qlite_export_options> = offsetof(qlite_export_options, encode_weights);
template <>
inline constexpr size_t kFirstSize<qlite_session_options> = offsetof(qlite_session_options, float16);
template <>
inline constexpr size_t kFirstSize<qlite_session_info> = offsetof(qlite_session_info, float16);

inline void CheckStructSize(size_t found, size_t least) {
  if (found >= least && found <= kMaxStructSize) return;
  Refuse("struct_size is " + std::to_string(found) + ", expected at least " + std::to_string(least));
}

// What the host has set, over defaults.
template <class S>
S ReadStruct(const S* given, const S& defaults, std::string_view what) {
  const size_t size = Needed(given, what)->struct_size;
  CheckStructSize(size, kFirstSize<S>);
  S read = defaults;
  std::memcpy(&read, given, std::min(size, sizeof(S)));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (std::any_of(bytes + std::min(size, sizeof(S)), bytes + size, [](unsigned char byte) { return byte != 0; })) {
    throw Failure(
        absl::UnimplementedError(std::string(what) + " set a field that this version of the library does not know"));
  }
  return read;
}

// Defaults where the host passes NULL.
template <class S>
S ReadOptions(const S* given, const S& defaults, std::string_view what) {
  return given == nullptr ? defaults : ReadStruct(given, defaults, what);
}

// Fills in as much as the host knows of `value`, and zero behind what the library knows.
template <class S>
void WriteStruct(S* out, S value) {
  const size_t size = Needed(out, "the structure to fill")->struct_size;
  CheckStructSize(size, kFirstSize<S>);
  value.struct_size = size;
  std::memcpy(out, &value, std::min(size, sizeof(S)));
  if (size > sizeof(S)) std::memset(reinterpret_cast<char*>(out) + sizeof(S), 0, size - sizeof(S));
}

// For the *_init functions: the size comes from the host's header.
template <class S>
qlite_status InitStruct(S* out, size_t struct_size, const S& defaults) noexcept {
  return Guard(nullptr, [&] {
    Needed(out, "the structure");
    CheckStructSize(struct_size, kFirstSize<S>);
    out->struct_size = struct_size;
    WriteStruct(out, defaults);
  });
}

}  // namespace qlite::capi

#endif  // QLITE_CAPI_CALL_H_
