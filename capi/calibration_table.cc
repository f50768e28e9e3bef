#include "capi/bodies.h"
#include "qlite/calibrator.h"

namespace qlite::capi {
namespace {

qlite_tensor_calibration AsHost(const TableBody& body, size_t index, int bits) {
  const std::string& name = *body.names[index];
  const TensorCalibration& tensor = body.table.tensors.find(name)->second;
  const ObservedRange range = Take(body.table.Range(name, bits));
  return {.name = name.c_str(),
          .elements = tensor.elements,
          .channel_count = tensor.channels.min.size(),
          .channel_min = tensor.channels.min.data(),
          .channel_max = tensor.channels.max.data(),
          .channel_mean = body.channel_means[index].data(),
          .min = range.min,
          .max = range.max,
          .channel_elements = tensor.channels.count};
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_calibration_table_get_info(const qlite_calibration_table* table, qlite_calibration_info* info) {
  return Call<TableBody>(table, [&](TableBody& body) {
    WriteStruct(info, {.method = body.table.method.c_str(),
                       .graph_fingerprint = body.table.graph_fingerprint,
                       .data_fingerprint = body.table.data_fingerprint,
                       .samples_done = body.table.samples_done,
                       .tensor_count = body.names.size()});
  });
}

qlite_status qlite_calibration_table_get(const qlite_calibration_table* table, size_t index, int32_t bits,
                                         qlite_tensor_calibration* calibration) {
  return Call<TableBody>(table, [&](TableBody& body) {
    WriteStruct(calibration, AsHost(body, Checked(index, body.names.size(), "tensor"), bits));
  });
}

qlite_status qlite_calibration_table_range(const qlite_calibration_table* table, const char* value, int32_t bits,
                                           float* min, float* max) {
  return Call<TableBody>(table, [&](TableBody& body) {
    const qlite::ObservedRange range = Take(body.table.Range(Needed(value, "value"), bits));
    *Needed(min, "min") = range.min;
    *Needed(max, "max") = range.max;
  });
}

qlite_status qlite_calibration_table_merge(const qlite_calibration_table* a, const qlite_calibration_table* b,
                                           qlite_calibration_table** merged) {
  return Make<TableBody>(a, merged, [&](TableBody& body) {
    const auto other = Needed<TableBody>(b, "b");
    // Observers cannot be copied but through their bytes.
    qlite::CalibrationTable copy =
        Take(qlite::CalibrationTable::Parse(Take(body.table.Serialize()), body.context->Observers()));
    Check(copy.Merge(other->table));
    return std::make_shared<TableBody>(body.context, std::move(copy));
  });
}

qlite_status qlite_calibration_table_serialize(const qlite_calibration_table* table, qlite_bytes** bytes) {
  return Make<TableBody>(table, bytes, [&](TableBody& body) { return MakeBytes(Take(body.table.Serialize())); });
}

qlite_status qlite_calibration_table_parse(const qlite_context* context, const void* data, size_t size,
                                           qlite_calibration_table** table) {
  return Make<ContextBody>(context, table, [&](ContextBody& body) {
    const std::string_view bytes(static_cast<const char*>(Needed(data, "data")), size);
    return std::make_shared<TableBody>(Needed<ContextBody>(context, "context"),
                                       Take(qlite::CalibrationTable::Parse(bytes, body.Observers())));
  });
}

qlite_status qlite_calibration_table_save(const qlite_calibration_table* table, const char* path) {
  return Call<TableBody>(table, [&](TableBody& body) { Check(body.table.SaveFile(Needed(path, "path"))); });
}

qlite_status qlite_calibration_table_load(const qlite_context* context, const char* path,
                                          qlite_calibration_table** table) {
  const auto load = [&](ContextBody& body) {
    return std::make_shared<TableBody>(Needed<ContextBody>(context, "context"),
                                       Take(qlite::CalibrationTable::LoadFile(Needed(path, "path"), body.Observers())));
  };
  return Make<ContextBody>(context, table, load);
}

qlite_status qlite_calibration_table_release(qlite_calibration_table* table) { return Release<TableBody>(table); }
