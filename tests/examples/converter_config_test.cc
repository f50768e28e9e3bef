#include "convert/converter_config.h"

#include <catch2/catch.hpp>

#include "examples/refusal.h"

namespace qlite::cli {
namespace {

using ::Catch::Contains;

constexpr const char* kData =
    "[data_preprocess_param]\ncalibrate_path=input:dir\ncalibrate_size=10\ninput_type=IMAGE\n";
constexpr const char* kCommon = "[common_quant_param]\nquant_type=FULL_QUANT\n";

ConvertRequest Sectioned(const std::string& text) {
  ConvertRequest request;
  const absl::Status status = ApplySectionedConfig(text, "c.cfg", request);
  INFO(text << MessageOf(status));
  REQUIRE(status.ok());
  return request;
}

absl::Status SectionedStatus(const std::string& text) {
  ConvertRequest request;
  return ApplySectionedConfig(text, "c.cfg", request);
}

// A valid full quantization with these further lines in the named section.
std::string With(const std::string& section, const std::string& lines) {
  std::string common = kCommon, data = kData, full = "[full_quant_param]\n", rest;
  if (section == "common_quant_param") {
    common += lines;
  } else if (section == "data_preprocess_param") {
    data += lines;
  } else if (section == "full_quant_param") {
    full += lines;
  } else {
    rest = "[" + section + "]\n" + lines;
  }
  return common + "\n" + full + "\n" + data + "\n" + rest;
}

// A key with a value that is refused as illegal, naming file, key and value.
void CheckIllegal(const std::string& section, const std::string& key, const std::string& value) {
  INFO("[" << section << "] " << key << "=" << value);
  const absl::Status status = SectionedStatus(With(section, key + "=" + value + "\n"));
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(status), Contains("c.cfg") && Contains(key));
}

void CheckNotYet(const std::string& section, const std::string& key, const std::string& value) {
  INFO("[" << section << "] " << key << "=" << value);
  const absl::Status status = SectionedStatus(With(section, key + "=" + value + "\n"));
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK_THAT(MessageOf(status), Contains("c.cfg") && Contains("not supported yet"));
}

void CheckMisspelt(const std::string& section, const std::string& key, const std::string& meant) {
  const std::string message = MessageOf(SectionedStatus(With(section, key + "=1\n")));
  CHECK_THAT(message, Contains("INPUT ILLEGAL: `" + key + "` is not supported in [" + section + "]"));
  CHECK_THAT(message, Contains("did you mean '" + meant + "'"));
}

TEST_CASE("config: a whole one") {
  const ConvertRequest request = Sectioned(
      "[common_quant_param]\nquant_type=FULL_QUANT\nbit_num=8\nmin_quant_weight_size=999\nmin_quant_weight_channel=0\n"
      "skip_quant_node=a/b, c d ,e:0\n"
      "[full_quant_param]\nactivation_quant_method=KL\nbias_correction=FALSE\nper_channel=false\nequalization=False\n"
      "target_device=CPU\n"
      "[data_preprocess_param]\ncalibrate_path=in:0:/data/a,other:'/data:x,y'\ncalibrate_size=65535\ninput_type=BIN\n"
      "image_to_format=RGB\nnormalize_mean=[1, 2.5,-3]\nnormalize_std=[1,2,3]\nresize_width=224\nresize_height=200\n"
      "resize_method=CUBIC\ncenter_crop_width=100\ncenter_crop_height=90\n"
      "[transform_quant_param]\nexport_precision_mode=QUANT\n");
  CHECK(request.quant_type == QuantType::kFull);
  CHECK(request.quantizer.min_weight_elements == 999);
  CHECK(request.quantizer.skip_nodes == std::vector<std::string>{"a/b", "c d", "e:0"});
  CHECK(request.quantizer.activation_method == "KL");
  CHECK_FALSE(request.quantizer.bias_correction);
  CHECK_FALSE(request.quantizer.per_channel);
  CHECK_FALSE(request.quantizer.equalization);
  CHECK(request.data.kind == DataRequest::Kind::kRaw);
  CHECK(request.data.count == 65535);
  CHECK(request.data.folders ==
        std::vector<std::pair<std::string, std::string>>{{"in:0", "/data/a"}, {"other", "/data:x,y"}});
  CHECK(request.data.image.order == ColorOrder::kRgb);
  CHECK(request.data.image.mean == std::vector<float>{1, 2.5f, -3});
  CHECK(request.data.image.std == std::vector<float>{1, 2, 3});
  CHECK(request.data.image.resize_width == 224);
  CHECK(request.data.image.resize_height == 200);
  CHECK(request.data.image.resize_method == ResizeMethod::kCubic);
  CHECK(request.data.image.crop_width == 100);
  CHECK(request.data.image.crop_height == 90);
}

TEST_CASE("config: defaults") {
  const ConvertRequest request = Sectioned(std::string(kCommon) + kData);
  CHECK(request.quantizer.activation_method == "MAX_MIN");
  CHECK(request.quantizer.bias_correction);
  CHECK(request.quantizer.per_channel);
  CHECK(request.data.image.order == ColorOrder::kBgr);
  CHECK(request.data.image.mean.empty());
  CHECK(request.data.image.resize_width == 0);
}

TEST_CASE("config: an empty file quantizes nothing") {
  CHECK(Sectioned("").quant_type == QuantType::kNone);
  CHECK(Sectioned("[common_quant_param]\n").quant_type == QuantType::kNone);
}

TEST_CASE("config: every word of a list, and no other") {
  const std::string full = "full_quant_param", data = "data_preprocess_param";
  for (const char* method : {"MAX_MIN", "KL", "REMOVAL_OUTLIER"}) {
    CHECK(Sectioned(With(full, std::string("activation_quant_method=") + method)).quantizer.activation_method ==
          method);
  }
  CHECK(Sectioned(With(full, "activation_quant_method=RemovalOutlier")).quantizer.activation_method ==
        "REMOVAL_OUTLIER");
  for (const char* bad : {"kl", "", "MINMAX"}) CheckIllegal(full, "activation_quant_method", bad);
  CHECK(Sectioned(With(data, "image_to_format=GRAY")).data.image.order == ColorOrder::kGray);
  CHECK(Sectioned(With(data, "image_to_format=BGR")).data.image.order == ColorOrder::kBgr);
  for (const char* bad : {"rgb", "RGBA", ""}) CheckIllegal(data, "image_to_format", bad);
  const std::string sides = "resize_width=8\nresize_height=8\nresize_method=";
  CHECK(Sectioned(With(data, sides + "LINEAR")).data.image.resize_method == ResizeMethod::kLinear);
  CHECK(Sectioned(With(data, sides + "NEAREST")).data.image.resize_method == ResizeMethod::kNearest);
  for (const char* bad : {"linear", "BICUBIC"}) CheckIllegal(data, "resize_method", bad);
  for (const char* bad : {"image", "RAW", ""}) CheckIllegal(data, "input_type", bad);
  CHECK(Sectioned(With(data, "input_type=BIN")).data.kind == DataRequest::Kind::kRaw);
}

TEST_CASE("config: target devices") {
  for (const char* device : {"NVGPU", "DSP", "ASCEND", "KIRIN"})
    CheckNotYet("full_quant_param", "target_device", device);
  for (const char* bad : {"cpu", "TPU", ""}) CheckIllegal("full_quant_param", "target_device", bad);
}

TEST_CASE("config: booleans in any letter case, and nothing else") {
  for (const char* yes : {"true", "True", "TRUE"}) {
    CHECK(Sectioned(With("full_quant_param", std::string("per_channel=") + yes)).quantizer.per_channel);
  }
  for (const char* key : {"per_channel", "bias_correction", "equalization"}) {
    for (const char* bad : {"1", "0", "yes", "", "truee"}) CheckIllegal("full_quant_param", key, bad);
  }
  CheckIllegal("common_quant_param", "enable_encode", "on");
}

TEST_CASE("config: whole numbers within their bounds") {
  for (const char* key : {"resize_width", "resize_height", "resize_shorter_side", "center_crop_width",
                          "center_crop_height", "calibrate_size"}) {
    for (const char* bad : {"0", "-1", "65536", "1.5", "10x", "", "99999999999999999999"}) {
      CheckIllegal("data_preprocess_param", key, bad);
    }
  }
  for (const char* key : {"min_quant_weight_size", "min_quant_weight_channel"}) {
    for (const char* bad : {"-1", "65536", "x"}) CheckIllegal("common_quant_param", key, bad);
  }
}

TEST_CASE("config: vectors look like [a,b,c]") {
  for (const char* key : {"normalize_mean", "normalize_std"}) {
    for (const char* bad :
         {"1,2,3", "[1,2,3", "1,2,3]", "[]", "[1,,3]", "[1;2;3]", "[a]", "[nan,1,1]", "[1,inf,1]", "["}) {
      CheckIllegal("data_preprocess_param", key, bad);
    }
  }
}

TEST_CASE("config: keys that only make sense together") {
  const std::string data = "data_preprocess_param";
  const auto refusal = [&](const std::string& lines) { return MessageOf(SectionedStatus(With(data, lines))); };
  CHECK_THAT(refusal("resize_width=8"), Contains("resize_width and resize_height"));
  CHECK_THAT(refusal("resize_height=8"), Contains("resize_width and resize_height"));
  CHECK_THAT(refusal("resize_width=8\nresize_height=8\nresize_shorter_side=8"), Contains("exclude each other"));
  CHECK_THAT(refusal("center_crop_width=8"), Contains("center_crop_width and center_crop_height"));
  CHECK_THAT(refusal("normalize_mean=[1]"), Contains("normalize_mean and normalize_std"));
  CHECK_THAT(refusal("normalize_std=[1]"), Contains("normalize_mean and normalize_std"));
  CHECK_THAT(refusal("normalize_mean=[1,2,3]\nnormalize_std=[1,0,3]"), Contains("must not be 0"));
  CHECK(Sectioned(With(data, "resize_shorter_side=256\ncenter_crop_width=224\ncenter_crop_height=224\n"))
            .data.image.resize_shorter_side == 256);
}

TEST_CASE("config: calibrate_path") {
  const auto folders = [](const std::string& value) {
    return Sectioned(With("data_preprocess_param", "calibrate_path=" + value)).data.folders;
  };
  using Folders = std::vector<std::pair<std::string, std::string>>;
  CHECK(folders("a:b") == Folders{{"a", "b"}});
  CHECK(folders("a:0:b , c : d") == Folders{{"a:0", "b"}, {"c", "d"}});
  CHECK(folders("a:'b'") == Folders{{"a", "b"}});
  CHECK(folders("a:it's,b:c") == Folders{{"a", "it's"}, {"b", "c"}});
  CHECK(folders("a:'C:/b, c', d:'e'") == Folders{{"a", "C:/b, c"}, {"d", "e"}});
  for (const char* bad : {"folder", "a:", ":b", "a:b,", "a:'", "a:''", ",", "'b'", "a'b'", ""}) {
    CheckIllegal("data_preprocess_param", "calibrate_path", bad);
  }
}

TEST_CASE("config: what full quantization needs") {
  const auto without = [](const std::string& key) {
    std::string text = std::string(kCommon) + kData;
    const size_t start = text.find(key);
    text.erase(start, text.find('\n', start) - start);
    return MessageOf(SectionedStatus(text));
  };
  CHECK_THAT(without("calibrate_path"),
             Contains("calibrate path must pass. The format is input_name_1:input_1_dir,input_name_2:input_2_dir."));
  CHECK_THAT(without("calibrate_size"), Contains("calibrate_size must be given"));
  CHECK_THAT(without("input_type"), Contains("input_type must be given"));
  CHECK_THAT(without("quant_type"), Contains("quant_type") && Contains("FULL_QUANT"));
}

TEST_CASE("config: bit_num is 8 for full quantization") {
  CHECK(SectionedStatus(With("common_quant_param", "bit_num=8\n")).ok());
  for (const char* bits : {"0", "1", "7", "16"}) {
    CHECK_THAT(MessageOf(SectionedStatus(With("common_quant_param", std::string("bit_num=") + bits + "\n"))),
               Contains("INPUT ILLEGAL: bit_num should be 8.") && Contains(bits));
  }
  for (const char* bad : {"17", "-1", "8.0", ""}) CheckIllegal("common_quant_param", "bit_num", bad);
  CHECK_FALSE(SectionedStatus("[common_quant_param]\nbit_num=8\n").ok());
}

TEST_CASE("config: kinds of quantization") {
  const auto status = [](const std::string& type) {
    return SectionedStatus("[common_quant_param]\nquant_type=" + type + "\n");
  };
  CHECK(status("WEIGHT_QUANT").ok());
  CHECK(status("DYNAMIC_QUANT").code() == absl::StatusCode::kUnimplemented);
  CHECK_THAT(MessageOf(status("DYNAMIC_QUANT")), Contains("DYNAMIC_QUANT") && Contains("not supported yet"));
  for (const char* bad : {"full_quant", "PostTraining", ""}) {
    CHECK_THAT(MessageOf(status(bad)), Contains("quant_type must be WEIGHT_QUANT|FULL_QUANT|DYNAMIC_QUANT."));
  }
}

TEST_CASE("config: keys whose feature is missing are refused by name") {
  CheckIllegal("common_quant_param", "debug_info_save_path", "/nowhere/at/all");
  CheckNotYet("common_quant_param", "workspace", "/tmp");
  CheckNotYet("full_quant_param", "smooth_alpha", "0.5");
  CheckNotYet("full_quant_param", "enable_smooth_shift", "true");
  CheckNotYet("transform_quant_param", "export_precision_mode", "FLOAT32");
  CheckIllegal("transform_quant_param", "export_precision_mode", "FLOAT16");
  CHECK(SectionedStatus(With("common_quant_param", "debug_info_save_path=\nworkspace=\n")).ok());
}

// --- weight quantization

const std::string kWeights = "[common_quant_param]\nquant_type=WEIGHT_QUANT\n";

TEST_CASE("config: weight quantization, defaults") {
  const ConvertRequest request = Sectioned(kWeights);
  CHECK(request.quant_type == QuantType::kWeight);
  CHECK(request.weights.bits == 8);
  CHECK(request.weights.per_channel);
  CHECK(request.weights.bias_correction);
  CHECK(request.weights.block_size == 0);
  CHECK(request.weights.min_weight_elements == 0);
  CHECK(request.weights.min_weight_channels == 16);
  CHECK(request.weights.skip_nodes.empty());
}

TEST_CASE("config: weight quantization, a whole one") {
  const ConvertRequest request =
      Sectioned(kWeights +
                "bit_num=4\nmin_quant_weight_size=5000\nmin_quant_weight_channel=5\nskip_quant_node=a,b\n"
                "enable_encode=true\n[weight_quant_param]\nper_channel=true\nbias_correction=false\n"
                "quant_strategy=MAX_MIN\nblock_size=32\ndequant_strategy=\n");
  CHECK(request.weights.bits == 4);
  CHECK(request.weights.min_weight_elements == 5000);
  CHECK(request.weights.min_weight_channels == 5);
  CHECK(request.weights.skip_nodes == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(request.weights.bias_correction);
  CHECK(request.weights.block_size == 32);
  CHECK(request.notices.empty());
}

TEST_CASE("config: weights that are decoded inside the products") {
  CHECK_FALSE(Sectioned(kWeights).on_the_fly);
  const ConvertRequest request = Sectioned(kWeights + "[weight_quant_param]\ndequant_strategy=ON_THE_FLY\n");
  CHECK(request.on_the_fly);
  CHECK(request.notices.empty());
  const ConvertRequest encoded =
      Sectioned(kWeights + "enable_encode=true\n[weight_quant_param]\ndequant_strategy=ON_THE_FLY\n");
  REQUIRE(encoded.notices.size() == 1);
  CHECK_THAT(encoded.notices[0], Contains("enable_encode"));
}

TEST_CASE("config: GPTQ with its samples") {
  const ConvertRequest request =
      Sectioned(kWeights + "bit_num=4\n[weight_quant_param]\nquant_strategy=GPTQ\nrange_search=false\n" + kData);
  CHECK(request.weights.rounding == WeightRounding::kGptq);
  CHECK(request.weights.range_search == false);
  CHECK(request.data.count == 10);
}

TEST_CASE("config: mixed bits") {
  const ConvertRequest plain = Sectioned(kWeights + "bit_num=0\n");
  CHECK(plain.weights.bits == 0);
  CHECK(plain.weights.mixed_error == 0.02);
  CHECK_FALSE(plain.weights.auto_tune);
  const ConvertRequest request =
      Sectioned(kWeights +
                "bit_num=0\n[mixed_bit_weight_quant_param]\ninit_scale=0.05\nauto_tune=true\ncosine_target=0.99\n"
                "max_iterations=50\nuse_cv_data=false\n");
  CHECK(request.weights.mixed_error == 0.05);
  CHECK(request.weights.auto_tune);
  CHECK(request.weights.cosine_target == 0.99);
  CHECK(request.weights.max_iterations == 50);
  const auto refusal = [](const std::string& lines) {
    const absl::Status status = SectionedStatus(kWeights + "[mixed_bit_weight_quant_param]\n" + lines);
    CHECK_FALSE(status.ok());
    return MessageOf(status);
  };
  for (const char* scale : {"0", "1", "-0.1", "2", "x"}) {  // also where bit_num asks for a fixed width
    CHECK_THAT(refusal(std::string("init_scale=") + scale + "\n"),
               Contains("INPUT ILLEGAL: init_scale should at (0,1)"));
  }
  for (const char* count : {"39", "65536", "many"}) {
    CHECK_THAT(refusal(std::string("max_iterations=") + count + "\n"), Contains("max_iterations"));
  }
  CHECK_THAT(refusal("use_cv_data=true\n"), Contains("not supported yet"));
  CHECK_THAT(MessageOf(SectionedStatus(kWeights + "bit_num=0\n[weight_quant_param]\nquant_strategy=GPTQ\n")),
             Contains("GPTQ") && Contains("bit_num"));
}

TEST_CASE("config: weight quantization, keys that have no effect are named") {
  const ConvertRequest request = Sectioned(kWeights + "[weight_quant_param]\nmax_segments=4\nupdate_mindir=true\n");
  REQUIRE(request.notices.size() == 2);
  CHECK_THAT(request.notices[0], Contains("max_segments"));
  CHECK_THAT(request.notices[1], Contains("update_mindir"));
}

TEST_CASE("config: weight quantization, what is refused") {
  const auto refusal = [](const std::string& lines) {
    const absl::Status status = SectionedStatus(kWeights + lines);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return MessageOf(status);
  };
  CHECK_THAT(refusal("bit_num=17\n"), Contains("INPUT ILLEGAL: bit_num should be [0,16]."));
  for (const char* bits : {"1", "7", "9", "15", "0"}) {
    CHECK_THAT(
        refusal(std::string("enable_encode=false\nbit_num=") + bits + "\n"),
        Contains("INPUT ILLEGAL: enable_encode should be true when parameter bit_num belongs to [0,7] or [9,15]."));
  }
  CHECK(SectionedStatus(kWeights + "enable_encode=false\nbit_num=16\n").ok());
  CHECK_THAT(refusal("[weight_quant_param]\ndequant_strategy=LATER\n"), Contains("must be ON_THE_FLY"));
  CHECK_THAT(refusal("[weight_quant_param]\nquant_strategy=KL\n"), Contains("must be MAX_MIN|GPTQ."));
  CHECK_THAT(refusal("[weight_quant_param]\nquant_strategy=GPTQ\n"), Contains("calibrate path must pass"));
  for (const char* size : {"1", "8", "48", "512", "-32", "x"}) {
    CHECK_THAT(refusal(std::string("[weight_quant_param]\nblock_size=") + size + "\n"), Contains("0|16|32|64|128|256"));
  }
  CHECK_THAT(refusal("bit_num=5\n[weight_quant_param]\nblock_size=32\n"),
             Contains("should be 2|3|4|8 with block_size"));
  CHECK_THAT(refusal("[weight_quant_param]\nblock_size=32\nper_channel=false\n"), Contains("per_channel=true"));
  CHECK_THAT(refusal("[data_preprocess_param]\ncalibrate_path=x:dir\n"), Contains("calibrate_size"));
  CHECK_THAT(refusal("[weight_quant_param]\nper_chanel=true\n"), Contains("'per_channel'"));
}

TEST_CASE("config: enable_encode is accepted with a notice") {
  const ConvertRequest request = Sectioned(With("common_quant_param", "enable_encode=true\n"));
  REQUIRE(request.notices.size() == 1);
  CHECK_THAT(request.notices[0], Contains("enable_encode"));
}

TEST_CASE("config: a misspelt key is refused with the nearest one") {
  CheckMisspelt("common_quant_param", "quant_typ", "quant_type");
  CheckMisspelt("common_quant_param", "skip_quant_nodes", "skip_quant_node");
  CheckMisspelt("common_quant_param", "bitnum", "bit_num");
  CheckMisspelt("full_quant_param", "perchannel", "per_channel");
  CheckMisspelt("full_quant_param", "activation_quant_methd", "activation_quant_method");
  CheckMisspelt("data_preprocess_param", "normalise_mean", "normalize_mean");
  CheckMisspelt("data_preprocess_param", "calibration_path", "calibrate_path");
  CheckMisspelt("data_preprocess_param", "Resize_Width", "resize_width");
  CheckMisspelt("transform_quant_param", "export_precision_mod", "export_precision_mode");
}

TEST_CASE("config: a key in the wrong section is refused") {
  CHECK_THAT(MessageOf(SectionedStatus(With("common_quant_param", "calibrate_size=10\n"))),
             Contains("`calibrate_size` is not supported in [common_quant_param]"));
  CHECK_THAT(MessageOf(SectionedStatus(With("data_preprocess_param", "bias_correction=true\n"))),
             Contains("`bias_correction` is not supported in [data_preprocess_param]"));
}

TEST_CASE("config: a misspelt section is refused with the nearest one") {
  const auto refusal = [](const char* section) { return MessageOf(SectionedStatus(With(section, "a=1\n"))); };
  CHECK_THAT(refusal("full_quant_params"),
             Contains("unknown section [full_quant_params]") && Contains("'full_quant_param'"));
  CHECK_THAT(refusal("Common_quant_param"), Contains("'common_quant_param'"));
  CHECK_THAT(refusal("data_preproces_param"), Contains("'data_preprocess_param'") && Contains("c.cfg:"));
  CHECK_THAT(refusal("something else"), Contains("unknown section [something else]"));
}

TEST_CASE("config: sections of other features") {
  for (const char* section : {"acl_option_cfg_param", "ascend_context", "registry", "micro_param",
                              "cpu_option_cfg_param", "graph_kernel_param"}) {
    const ConvertRequest request = Sectioned(With(section, "anything=1\n"));
    REQUIRE(request.notices.size() == 1);
    CHECK_THAT(request.notices[0], Contains(section) && Contains("no effect"));
  }
  for (const char* section : {"dynamic_quant_param", "model_param"}) {
    CheckNotYet(section, "anything", "1");
  }
}

TEST_CASE("config: keys before any section") {
  CHECK_THAT(MessageOf(SectionedStatus("quant_type=FULL_QUANT\n")), Contains("before any [section]"));
}

TEST_CASE("config: of a key that stands twice the last value counts") {
  CHECK(Sectioned(With("full_quant_param", "per_channel=true\nper_channel=false\n")).quantizer.per_channel == false);
}

// --- the older, flat form.

absl::Status FlatStatus(const std::string& text, ConvertRequest* out = nullptr, QuantType type = QuantType::kFull) {
  ConvertRequest request;
  request.quant_type = type;
  const absl::Status status = ApplyFlatConfig(text, "old.cfg", request);
  if (out != nullptr) *out = std::move(request);
  return status;
}

ConvertRequest Flat(const std::string& text) {
  ConvertRequest request;
  const absl::Status status = FlatStatus(text, &request);
  INFO(MessageOf(status));
  REQUIRE(status.ok());
  return request;
}

TEST_CASE("flat config: a whole one") {
  const ConvertRequest request = Flat(
      "image_path=/data/in0, /data/in1\r\nbatch_count=50\nmethod_x = MAX_MIN\nthread_num=3\nbias_correction=true\n");
  CHECK(request.data.folders == std::vector<std::pair<std::string, std::string>>{{"", "/data/in0"}, {"", "/data/in1"}});
  CHECK(request.data.kind == DataRequest::Kind::kRaw);
  CHECK(request.data.count == 50);
  CHECK_FALSE(request.data.fewer_allowed);
  CHECK(request.quantizer.activation_method == "MAX_MIN");
  CHECK(request.num_threads == 3);
  CHECK(request.quantizer.bias_correction);
}

TEST_CASE("flat config: defaults") {
  const ConvertRequest request = Flat("image_path=/data\n");
  CHECK(request.data.count == 100);
  CHECK(request.data.fewer_allowed);
  CHECK(request.quantizer.activation_method == "KL");
  CHECK_FALSE(request.quantizer.bias_correction);
}

TEST_CASE("flat config: values are checked") {
  const auto refusal = [](const std::string& line) {
    const absl::Status status = FlatStatus("image_path=/data\n" + line + "\n");
    CHECK_FALSE(status.ok());
    return MessageOf(status);
  };
  for (const char* bad : {"method_x=kl", "method_x=REMOVAL_OUTLIER", "method_x="}) {
    CHECK_THAT(refusal(bad), Contains("KL|MAX_MIN|RemovalOutlier") && Contains("old.cfg:2"));
  }
  CHECK(Flat("image_path=a\nmethod_x=RemovalOutlier\n").quantizer.activation_method == "REMOVAL_OUTLIER");
  for (const char* bad : {"batch_count=0", "batch_count=-1", "batch_count=x", "thread_num=0", "thread_num=5000",
                          "bias_correction=1", "mixed=yes", "mean_error_threshold=x", "mean_error_threshold=0"}) {
    CHECK_THAT(refusal(bad), Contains("INPUT ILLEGAL") && Contains("old.cfg:2"));
  }
  CHECK(Flat("image_path=a\nbias_correction=True\n").quantizer.bias_correction);
  CHECK_THAT(refusal("image_path=a,,b"), Contains("empty folder"));
}

TEST_CASE("flat config: what is missing is refused by name") {
  CHECK(FlatStatus("image_path=a\ninput_shapes=1,2\n").code() == absl::StatusCode::kUnimplemented);
  const ConvertRequest request = Flat("image_path=a\nmixed=false\nmean_error_threshold=0.04\n");
  REQUIRE(request.notices.size() == 1);
  CHECK_THAT(request.notices[0], Contains("mean_error_threshold"));
}

TEST_CASE("flat config: mixed bits of weights") {
  CHECK_THAT(MessageOf(FlatStatus("image_path=a\nmixed=true\n")), Contains("WeightQuant"));
  ConvertRequest request;
  constexpr QuantType kType = QuantType::kWeight;
  REQUIRE(FlatStatus("image_path=a\nmixed=true\n", &request, kType).ok());
  CHECK(request.weights.width_error == 0.04);
  REQUIRE(FlatStatus("image_path=a\nmixed=true\nmean_error_threshold=0.1\n", &request, kType).ok());
  CHECK(request.weights.width_error == 0.1);
  CHECK_THAT(MessageOf(FlatStatus("image_path=a\n", &request, kType)), Contains("mixed=true"));
  CHECK_THAT(MessageOf(FlatStatus("mixed=true\n", &request, kType)), Contains("image_path must be given"));
}

TEST_CASE("flat config: what does not belong there") {
  CHECK_THAT(MessageOf(FlatStatus("")), Contains("image_path must be given"));
  CHECK_THAT(MessageOf(FlatStatus("image_pth=a\n")), Contains("'image_path'") && Contains("old.cfg:1"));
  CHECK_THAT(MessageOf(FlatStatus("image_path=a\n[full_quant_param]\n")),
             Contains("old.cfg:2") && Contains("[full_quant_param]"));
  CHECK_THAT(MessageOf(FlatStatus("image_path\n")), Contains("old.cfg:1"));
}

}  // namespace
}  // namespace qlite::cli
