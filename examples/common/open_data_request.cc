#include <algorithm>

#include "common/data_request.h"
#include "common/text.h"

namespace qlite::cli {
namespace {

std::string InputNames(const std::vector<InputSpec>& inputs) {
  std::string names;
  for (const InputSpec& input : inputs) names += Join({names.empty() ? "'" : ", '", input.name, "'"});
  return names;
}

// The folder of each model input, in the model's order.
absl::StatusOr<std::vector<std::string>> MatchFolders(const DataRequest& request,
                                                      const std::vector<InputSpec>& inputs) {
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

absl::StatusOr<std::unique_ptr<DataSet>> OpenRaw(const DataRequest& request, const std::vector<InputSpec>& inputs,
                                                 const std::vector<std::string>& folders) {
  if (!request.fewer_allowed) return OpenRawDataSet(inputs, folders, request.count);
  auto all = OpenRawDataSet(inputs, folders, 0);
  if (!all.ok() || (*all)->size() <= request.count) return all;
  return OpenRawDataSet(inputs, folders, request.count);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> OpenDataRequest(const DataRequest& request,
                                                         const std::vector<InputSpec>& inputs, const Limits& limits) {
  absl::StatusOr<std::vector<std::string>> folders = MatchFolders(request, inputs);
  if (!folders.ok()) return folders.status();
  if (request.kind == DataRequest::Kind::kRaw) return OpenRaw(request, inputs, *folders);
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
