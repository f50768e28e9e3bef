#include "qlite/session.h"

#include <cstring>
#include <optional>
#include <utility>

#include "capi/bodies.h"
#include "capi/quant_params.h"
#include "capi/sample_buffer.h"

namespace qlite::capi {
namespace {

static_assert(static_cast<int>(WeightDecoding::kAsModelSays) == QLITE_DECODE_AS_MODEL_SAYS &&
              static_cast<int>(WeightDecoding::kAtLoad) == QLITE_DECODE_AT_LOAD &&
              static_cast<int>(WeightDecoding::kOnTheFly) == QLITE_DECODE_ON_THE_FLY);
static_assert(static_cast<int>(Float16Use::kNone) == QLITE_FLOAT16_NONE &&
              static_cast<int>(Float16Use::kStorage) == QLITE_FLOAT16_STORAGE &&
              static_cast<int>(Float16Use::kArithmetic) == QLITE_FLOAT16_ARITHMETIC);

qlite_session_options DefaultSession() { return {.struct_size = sizeof(qlite_session_options)}; }

struct SessionBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kSession;
  using Handle = qlite_session;

  SessionBody(std::shared_ptr<ContextBody> maker, std::shared_ptr<GraphBody> of, std::unique_ptr<Session> made)
      : MadeWithContext(std::move(maker)), graph(std::move(of)), session(std::move(made)) {}

  const std::shared_ptr<GraphBody> graph;
  const std::unique_ptr<Session> session;
};

SessionOptions ReadSessionOptions(const qlite_session_options* host) {
  const qlite_session_options read = ReadOptions(host, DefaultSession(), "the session options");
  if (read.weight_decoding < QLITE_DECODE_AS_MODEL_SAYS || read.weight_decoding > QLITE_DECODE_ON_THE_FLY)
    Refuse("weight_decoding " + std::to_string(read.weight_decoding) + " is unknown");
  SessionOptions options;
  options.input_shapes = ReadShapes(read.shapes, read.shape_count);
  options.profile = read.profile != 0;
  options.float16 = read.float16 != 0;
  options.weight_decoding = static_cast<WeightDecoding>(read.weight_decoding);
  return options;
}

MutableTensorView OutputView(const Session& session, size_t index) {
  const TensorView view = session.output(index);
  return {view.type, view.dims, const_cast<void*>(view.data), view.bytes};
}

void CheckSize(size_t found, size_t expected, const std::string& name) {
  if (found == expected) return;
  RefuseValue(name, "'" + name + "' has " + std::to_string(expected) + " bytes, found " + std::to_string(found));
}

// The first failure of a tap; later values are not shown.
struct HostTap {
  qlite_tap_function tap;
  void* user;
  const GraphView& view;
  absl::Status failure;

  void operator()(ValueId id, const TappedValue& value) {
    if (!failure.ok()) return;
    const qlite_tapped_value shown = {.struct_size = sizeof(qlite_tapped_value),
                                      .dims = value.dims.data(),
                                      .rank = value.dims.size(),
                                      .data = value.data,
                                      .elements = value.elements,
                                      .type = static_cast<qlite_element_type>(value.type),
                                      .value = view.Number(id),
                                      .channels_last = value.channels_last,
                                      .offset_by_128 = value.offset_by_128};
    failure = CallbackStatus(tap(user, &shown), "tap");
  }
};

// What CopyTappedValue needs, checked: it trusts its arguments.
TappedValue ReadTappedValue(const qlite_tapped_value* host, int64_t elements) {
  const qlite_tapped_value read = ReadStruct(host, qlite_tapped_value{}, "the value");
  if (read.rank > kMostExtents) Refuse("more than 16 extents");
  if (read.rank > 0) Needed(read.dims, "dims");
  TappedValue value;
  value.type = ReadElementType(read.type);
  value.dims.assign(read.dims, read.dims + read.rank);
  value.elements = read.elements;
  if (Take(ElementCount(value.dims, ElementSize(value.type))) != elements || elements != read.elements) {
    Refuse("the value has " + std::to_string(read.elements) + " elements, found memory for " +
           std::to_string(elements));
  }
  value.data = elements > 0 ? Needed(read.data, "data") : read.data;
  value.channels_last = read.channels_last != 0;
  if (value.channels_last && read.rank < 2) Refuse("channels_last needs at least 2 extents");
  value.offset_by_128 = read.offset_by_128 != 0;
  return value;
}

QuantParams ReadParamsOf(const TappedValue& value, const qlite_quant_params* host) {
  QuantParams params = ReadQuantParams(host);
  if (value.type != ElementType::kInt8) Refuse("quantization parameters for a value that is not int8");
  if (params.block_size != 0) throw Failure(absl::UnimplementedError("values in memory are not quantized in blocks"));
  if (!params.per_axis()) return params;
  const size_t axis = Checked(params.axis, value.dims.size(), "axis");
  if (std::cmp_not_equal(params.scales.size(), value.dims[axis]))
    Refuse("there are not as many scales as the axis is long");
  return params;
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_session_options_init(qlite_session_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultSession());
}

qlite_status qlite_session_create(const qlite_context* context, const qlite_graph* graph,
                                  const qlite_session_options* options, qlite_session** session) {
  return Make<ContextBody>(context, session, [&](ContextBody& body) {
    const auto of = Needed<GraphBody>(graph, "graph");
    return std::make_shared<SessionBody>(
        Needed<ContextBody>(context, "context"), of,
        Take(qlite::Session::Create(body.context, of->graph, ReadSessionOptions(options))));
  });
}

qlite_status qlite_session_fork(const qlite_session* session, const qlite_context* context, qlite_session** fork) {
  return Make<SessionBody>(session, fork, [&](SessionBody& body) {
    const auto on = Needed<ContextBody>(context, "context");
    return std::make_shared<SessionBody>(on, body.graph, Take(body.session->Fork(on->context)));
  });
}

qlite_status qlite_session_release(qlite_session* session) { return Release<SessionBody>(session); }

qlite_status qlite_session_get_info(const qlite_session* session, qlite_session_info* info) {
  return Call<SessionBody>(session, [&](SessionBody& body) {
    const qlite::SessionMemory memory = body.session->memory();
    WriteStruct(info, {.input_count = body.session->input_count(),
                       .output_count = body.session->output_count(),
                       .profile_count = body.session->profile().size(),
                       .weights_bytes = memory.weights_bytes,
                       .activations_bytes = memory.activations_bytes,
                       .float16 = static_cast<qlite_float16_use>(body.session->float16()),
                       .coded_bytes = memory.coded_bytes});
  });
}

qlite_status qlite_session_get_input(const qlite_session* session, size_t index, qlite_sample_buffer* buffer) {
  return Call<SessionBody>(session, [&](SessionBody& body) {
    const size_t i = Checked(index, body.session->input_count(), "input");
    *Needed(buffer, "buffer") = AsHostBuffer(body.session->input_name(i).c_str(), body.session->input(i));
  });
}

qlite_status qlite_session_get_output(const qlite_session* session, size_t index, qlite_sample_buffer* buffer) {
  return Call<SessionBody>(session, [&](SessionBody& body) {
    const size_t i = Checked(index, body.session->output_count(), "output");
    *Needed(buffer, "buffer") = AsHostBuffer(body.session->output_name(i).c_str(), OutputView(*body.session, i));
  });
}

qlite_status qlite_session_set_input(qlite_session* session, size_t index, const void* data, size_t size) {
  return Call<SessionBody>(session, [&](SessionBody& body) {
    const size_t i = Checked(index, body.session->input_count(), "input");
    const qlite::MutableTensorView view = body.session->input(i);
    CheckSize(size, view.bytes, body.session->input_name(i));
    if (size > 0) std::memcpy(view.data, Needed(data, "data"), size);
  });
}

qlite_status qlite_session_copy_output(const qlite_session* session, size_t index, void* data, size_t size) {
  return Call<SessionBody>(session, [&](SessionBody& body) {
    const size_t i = Checked(index, body.session->output_count(), "output");
    const qlite::TensorView view = body.session->output(i);
    CheckSize(size, view.bytes, body.session->output_name(i));
    if (size > 0) std::memcpy(Needed(data, "data"), view.data, size);
  });
}

qlite_status qlite_session_run(qlite_session* session) {
  return Call<SessionBody>(session, [](SessionBody& body) { Check(body.session->Run()); });
}

qlite_status qlite_session_run_tapped(qlite_session* session, qlite_tap_function tap, void* user) {
  return Call<SessionBody>(session, [&](SessionBody& body) {
    HostTap host{Needed(tap, "tap"), user, body.graph->view(), absl::OkStatus()};
    const absl::Status ran =
        body.session->RunTapped([&host](qlite::ValueId id, const qlite::TappedValue& value) { host(id, value); });
    Check(host.failure);
    Check(ran);
  });
}

qlite_status qlite_tapped_value_copy(const qlite_tapped_value* value, const qlite_quant_params* params, float* out,
                                     int64_t elements) {
  return Guard(nullptr, [&] {
    const qlite::TappedValue read = ReadTappedValue(value, elements);
    if (elements > 0) Needed(out, "out");
    std::optional<qlite::QuantParams> quant;
    if (params != nullptr) quant = ReadParamsOf(read, params);
    qlite::CopyTappedValue(read, quant ? &*quant : nullptr, out);
  });
}

qlite_status qlite_session_get_profile(const qlite_session* session, size_t index, const char** name, const char** op,
                                       int64_t* calls, double* total_ms) {
  return Call<SessionBody>(session, [&](SessionBody& body) {
    const std::vector<qlite::NodeProfile>& profile = body.session->profile();
    const qlite::NodeProfile& node = profile[Checked(index, profile.size(), "profile entry")];
    *Needed(name, "name") = node.name.c_str();
    *Needed(op, "op") = node.op.c_str();
    *Needed(calls, "calls") = node.calls;
    *Needed(total_ms, "total_ms") = node.total_ms;
  });
}
