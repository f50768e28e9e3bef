#include "common/data_request.h"

#include <algorithm>

#include "common/config_values.h"
#include "common/text.h"

namespace qlite::cli {
namespace {

constexpr int64_t kMaxCount = 65535;  // the reference's bound for sizes and counts

// "name:dir,name2:dir2"; the last ':' splits, a path may stand in single quotes.
absl::Status ReadFolders(const ConfigEntry& entry, DataRequest& request) {
  request.folders.clear();
  for (const std::string& part : Split(entry.value(), ',')) {
    const size_t colon = part.rfind(':');
    if (colon == std::string::npos) {
      return entry.Illegal("must look like input_name_1:input_1_dir,input_name_2:input_2_dir.");
    }
    std::string_view folder = Trim(std::string_view(part).substr(colon + 1));
    if (folder.size() >= 2 && folder.front() == '\'' && folder.back() == '\'') folder = folder.substr(1, folder.size() - 2);
    const std::string_view name = Trim(std::string_view(part).substr(0, colon));
    if (name.empty() || folder.empty()) return entry.Illegal("has an empty input name or folder.");
    request.folders.emplace_back(name, folder);
  }
  return absl::OkStatus();
}

using Key = ConfigKey<DataRequest>;

const Key kKeys[] = {
    {"calibrate_path", ReadFolders},
    {"calibrate_size", [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.count); }},
    {"input_type",
     [](const ConfigEntry& e, DataRequest& r) {
       return ReadWord<DataRequest::Kind>(e, {{"IMAGE", DataRequest::Kind::kImages}, {"BIN", DataRequest::Kind::kRaw}}, r.kind);
     }},
    {"image_to_format",
     [](const ConfigEntry& e, DataRequest& r) {
       return ReadWord<ColorOrder>(
           e, {{"RGB", ColorOrder::kRgb}, {"GRAY", ColorOrder::kGray}, {"BGR", ColorOrder::kBgr}}, r.image.order);
     }},
    {"normalize_mean", [](const ConfigEntry& e, DataRequest& r) { return ReadNumbers(e, r.image.mean); }},
    {"normalize_std", [](const ConfigEntry& e, DataRequest& r) { return ReadNumbers(e, r.image.std); }},
    {"resize_width", [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.resize_width); }},
    {"resize_height", [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.resize_height); }},
    {"resize_shorter_side",
     [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.resize_shorter_side); }},
    {"resize_method",
     [](const ConfigEntry& e, DataRequest& r) {
       return ReadWord<ResizeMethod>(e,
                                     {{"LINEAR", ResizeMethod::kLinear},
                                      {"NEAREST", ResizeMethod::kNearest},
                                      {"CUBIC", ResizeMethod::kCubic}},
                                     r.image.resize_method);
     }},
    {"center_crop_width", [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.crop_width); }},
    {"center_crop_height", [](const ConfigEntry& e, DataRequest& r) { return ReadInteger(e, 1, kMaxCount, r.image.crop_height); }},
};

absl::Status Refuse(std::initializer_list<std::string_view> text) { return absl::InvalidArgumentError(Join(text)); }

// What only makes sense together.
absl::Status CheckTogether(const ImageOptions& image, const std::string& path) {
  if ((image.resize_width == 0) != (image.resize_height == 0)) {
    return Refuse({path, ": resize_width and resize_height must be given together"});
  }
  if (image.resize_shorter_side != 0 && image.resize_width != 0) {
    return Refuse({path, ": resize_shorter_side and resize_width/resize_height exclude each other"});
  }
  if ((image.crop_width == 0) != (image.crop_height == 0)) {
    return Refuse({path, ": center_crop_width and center_crop_height must be given together"});
  }
  if (image.mean.empty() != image.std.empty()) {
    return Refuse({path, ": normalize_mean and normalize_std must be given together"});
  }
  if (std::find(image.std.begin(), image.std.end(), 0.0f) != image.std.end()) {
    return Refuse({path, ": normalize_std must not be 0"});
  }
  return absl::OkStatus();
}

std::string InputNames(const std::vector<InputSpec>& inputs) {
  std::string names;
  for (const InputSpec& input : inputs) names += (names.empty() ? "'" : ", '") + input.name + "'";
  return names;
}

// The folder of each model input, in the model's order.
absl::StatusOr<std::vector<std::string>> MatchFolders(const DataRequest& request, const std::vector<InputSpec>& inputs) {
  std::vector<std::string> folders(inputs.size());
  for (size_t i = 0; i < request.folders.size(); ++i) {
    const auto& [name, folder] = request.folders[i];
    size_t position = i;
    if (!name.empty()) {
      const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const InputSpec& s) { return s.name == name; });
      if (found == inputs.end()) {
        std::vector<std::string> known;
        for (const InputSpec& input : inputs) known.push_back(input.name);
        return Refuse({"calibrate_path: '", name, "' is not an input of the model", Suggestion(name, known),
                       "; its inputs are ", InputNames(inputs)});
      }
      position = static_cast<size_t>(found - inputs.begin());
    }
    if (position >= folders.size() || !folders[position].empty()) {
      return Refuse({"calibration data: ", std::to_string(request.folders.size()), " folders for the model's ",
                     std::to_string(inputs.size()), " inputs (", InputNames(inputs), "); one each is needed"});
    }
    folders[position] = folder;
  }
  for (size_t i = 0; i < folders.size(); ++i) {
    if (folders[i].empty()) return Refuse({"calibration data: no folder for the model's input '", inputs[i].name, "'"});
  }
  return folders;
}

}  // namespace

absl::Status ReadDataSection(const IniSection& section, const std::string& path, DataRequest& request) {
  if (absl::Status status = ApplySection(kKeys, section, path, request); !status.ok()) return status;
  return CheckTogether(request.image, path);
}

absl::StatusOr<std::unique_ptr<DataSet>> OpenDataRequest(const DataRequest& request,
                                                         const std::vector<InputSpec>& inputs, const Limits& limits) {
  absl::StatusOr<std::vector<std::string>> folders = MatchFolders(request, inputs);
  if (!folders.ok()) return folders.status();
  if (request.kind == DataRequest::Kind::kRaw) return OpenRawDataSet(inputs, *folders, request.count);
  if (request.kind == DataRequest::Kind::kUnset) return Refuse({"input_type must be given: IMAGE or BIN"});
  std::vector<std::unique_ptr<DataSet>> sets;
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto set = OpenImageDataSet(inputs[i], (*folders)[i], request.count, request.image, limits);
    if (!set.ok()) return set.status();
    sets.push_back(*std::move(set));
  }
  if (sets.size() == 1) return std::move(sets[0]);
  return CombineDataSets(std::move(sets));
}

}  // namespace qlite::cli
