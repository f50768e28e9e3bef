#include "qlite/data_set.h"

#include <catch2/catch.hpp>

#include "calib/picture_files.h"

namespace qlite {
namespace {

using testing::EncodeBmp;
using testing::EncodeJpeg;
using testing::EncodePng;
using testing::Gradient;
using testing::TemporaryFolder;

const InputSpec kVector = {"x", ElementType::kFloat32, {1, 3}};
const InputSpec kPicture = {"data", ElementType::kFloat32, {1, 3, 6, 8}};

std::string Floats(std::vector<float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::vector<float> ReadFloats(const DataSet& data, int64_t index, const InputSpec& input) {
  int64_t elements = 1;
  for (int64_t dim : input.dims) elements *= dim;
  std::vector<float> values(static_cast<size_t>(elements));
  const MutableTensorView view{ElementType::kFloat32, input.dims, values.data(), values.size() * sizeof(float)};
  const absl::Status status = data.Read(index, {&view, 1});
  INFO(status);
  REQUIRE(status.ok());
  return values;
}

bool Says(const absl::Status& status, const std::string& what) {
  UNSCOPED_INFO(status);
  return !status.ok() && status.message().find(what) != std::string::npos;
}

TEST_CASE("raw samples come in the order of their names") {
  const TemporaryFolder folder;
  folder.Write("b", Floats({4, 5, 6}));
  folder.Write("!first", Floats({1, 2, 3}));
  folder.Write("Z", Floats({7, 8, 9}));
  std::filesystem::create_directory(folder.File("a_folder"));
  const auto data = OpenRawDataSet({kVector}, {folder.path()}, 0);
  REQUIRE(data.ok());
  REQUIRE((*data)->size() == 3);
  CHECK(ReadFloats(**data, 0, kVector) == std::vector<float>{1, 2, 3});
  CHECK(ReadFloats(**data, 1, kVector) == std::vector<float>{7, 8, 9});
  CHECK(ReadFloats(**data, 2, kVector) == std::vector<float>{4, 5, 6});
  CHECK((*data)->Describe(1) == folder.File("Z"));
  CHECK((*OpenRawDataSet({kVector}, {folder.path()}, 2))->size() == 2);
}

TEST_CASE("folders and files that do not fit are named with what was expected") {
  const TemporaryFolder folder, other;
  CHECK(Says(OpenRawDataSet({kVector}, {folder.File("none")}, 0).status(), folder.File("none")));
  CHECK(Says(OpenRawDataSet({kVector}, {folder.path()}, 0).status(), "holds no files"));
  folder.Write("0", Floats({1, 2, 3}));
  CHECK(Says(OpenRawDataSet({kVector}, {folder.File("0")}, 0).status(), folder.File("0")));
  CHECK(
      Says(OpenRawDataSet({kVector}, {folder.path()}, 2).status(), "2 samples were asked for, but the folder holds 1"));
  CHECK(Says(OpenRawDataSet({kVector}, {folder.path()}, -1).status(), "negative"));
  CHECK(Says(OpenRawDataSet({kVector}, {}, 1).status(), "0 folders"));
  folder.Write("1", Floats({1, 2}));
  CHECK(Says(OpenRawDataSet({kVector}, {folder.path()}, 0).status(),
             "has 8 bytes, but input 'x' (float32[1,3]) takes 12"));
  CHECK(OpenRawDataSet({kVector}, {folder.path()}, 1).ok());
  folder.Write("1", Floats({1, 2, 3}));
  other.Write("0", Floats({1, 2, 3}));
  CHECK(Says(OpenRawDataSet({kVector, kVector}, {folder.path(), other.path()}, 0).status(), "sample i is file i"));
  CHECK(OpenRawDataSet({kVector, kVector}, {folder.path(), other.path()}, 1).ok());
  // A file that changes later.
  const auto data = OpenRawDataSet({kVector}, {folder.path()}, 0);
  folder.Write("0", "abc");
  std::vector<float> values(3);
  const MutableTensorView view{ElementType::kFloat32, kVector.dims, values.data(), 12};
  CHECK(Says((*data)->Read(0, {&view, 1}), "3 bytes, but 12 are needed"));
  CHECK_FALSE((*data)->Read(2, {&view, 1}).ok());
  CHECK_FALSE((*data)->Read(0, {}).ok());
}

TEST_CASE("pictures of every kind fill the model's layout") {
  const TemporaryFolder folder;
  folder.Write("0.jpg", EncodeJpeg(Gradient(8, 6)));
  folder.Write("1.PNG", EncodePng(Gradient(8, 6)));
  folder.Write("2", EncodeBmp(Gradient(8, 6)));
  ImageOptions options;
  options.order = ColorOrder::kRgb;
  options.mean = {1, 2, 3}, options.std = {2, 4, 8};
  const auto data = OpenImageDataSet(kPicture, folder.path(), 0, options);
  REQUIRE(data.ok());
  REQUIRE((*data)->size() == 3);
  const std::vector<float> png = ReadFloats(**data, 1, kPicture);
  CHECK(png == ReadFloats(**data, 2, kPicture));
  CHECK(png[0] == -0.5f);
  CHECK(png[48] == -0.5f);
  CHECK(png[7] == (223.0f - 1) / 2);
  const InputSpec last = {"data", ElementType::kFloat32, {1, 6, 8, 3}};
  const auto interleaved = OpenImageDataSet(last, folder.path(), 0, options);
  REQUIRE(interleaved.ok());
  CHECK(ReadFloats(**interleaved, 1, last)[7 * 3] == png[7]);
}

TEST_CASE("pictures that cannot feed the input are refused") {
  const TemporaryFolder folder;
  folder.Write("0.jpg", EncodeJpeg(Gradient(8, 6)));
  folder.Write("1.txt", "hello");
  const auto open = [&](const InputSpec& input, const ImageOptions& options = {}) {
    return OpenImageDataSet(input, folder.path(), 0, options).status();
  };
  CHECK(open(kPicture).ok());
  CHECK(Says(open({"data", ElementType::kFloat32, {1, 3, 8, 3}}), "may be NCHW or NHWC"));
  CHECK(Says(open({"data", ElementType::kFloat32, {1, 1, 8, 8}}), "neither its second nor its last"));
  CHECK(Says(open({"data", ElementType::kInt64, {1, 3, 8, 8}}), "not float32"));
  CHECK(Says(open({"data", ElementType::kFloat32, {3, 8, 8}}), "four dimensions"));
  ImageOptions options;
  options.std = {1};
  CHECK(Says(open(kPicture, options), "the std has 1 values, but the picture 3 channels"));
  options = {};
  options.crop_width = options.crop_height = 100;
  const auto cropped = OpenImageDataSet({"data", ElementType::kFloat32, {1, 3, 100, 100}}, folder.path(), 0, options);
  REQUIRE(cropped.ok());
  std::vector<float> values(30000);
  const MutableTensorView view{ElementType::kFloat32, {}, values.data(), values.size() * sizeof(float)};
  CHECK(Says((*cropped)->Read(0, {&view, 1}), "set resize_shorter_side"));
  CHECK(Says((*cropped)->Read(1, {&view, 1}), folder.File("1.txt") + ": not a JPEG, PNG or BMP picture"));
  Limits limits;
  limits.max_image_pixels = 47;
  const auto limited = OpenImageDataSet(kPicture, folder.path(), 1, {}, limits);
  const MutableTensorView small{ElementType::kFloat32, {}, values.data(), 3 * 6 * 8 * sizeof(float)};
  CHECK(Says((*limited)->Read(0, {&small, 1}), "more than the limit of 47"));
}

TEST_CASE("fingerprints follow names, contents and preprocessing, not places") {
  const TemporaryFolder a, b;
  for (const TemporaryFolder* folder : {&a, &b}) {
    folder->Write("0.png", EncodePng(Gradient(8, 6)));
    folder->Write("1.png", EncodePng(Gradient(8, 7)));
  }
  const auto fingerprint = [](const TemporaryFolder& folder, const ImageOptions& options, int64_t count) {
    return *(*OpenImageDataSet(kPicture, folder.path(), count, options))->Fingerprint();
  };
  const uint64_t whole = fingerprint(a, {}, 0);
  CHECK(fingerprint(b, {}, 0) == whole);
  CHECK(fingerprint(a, {}, 1) != whole);
  ImageOptions options;
  options.mean = {0, 0, 1};
  CHECK(fingerprint(a, options, 0) != whole);
  b.Write("1.png", EncodePng(Gradient(7, 8)));
  CHECK(fingerprint(b, {}, 0) != whole);
}

TEST_CASE("several inputs are fed by one data set each") {
  const TemporaryFolder raw, pictures;
  raw.Write("0", Floats({1, 2, 3}));
  pictures.Write("0.png", EncodePng(Gradient(8, 6)));
  std::vector<std::unique_ptr<DataSet>> parts;
  parts.push_back(*OpenRawDataSet({kVector}, {raw.path()}, 0));
  parts.push_back(*OpenImageDataSet(kPicture, pictures.path(), 0, {}));
  const auto data = CombineDataSets(std::move(parts));
  REQUIRE(data.ok());
  std::vector<float> x(3), picture(144);
  const MutableTensorView views[] = {{ElementType::kFloat32, kVector.dims, x.data(), 12},
                                     {ElementType::kFloat32, kPicture.dims, picture.data(), 576}};
  REQUIRE((*data)->Read(0, views).ok());
  CHECK(x == std::vector<float>{1, 2, 3});
  CHECK((*data)->Describe(0) == raw.File("0") + ", " + pictures.File("0.png"));
  CHECK_FALSE((*data)->Read(0, {views, 1}).ok());
  CHECK_FALSE(CombineDataSets({}).ok());
  raw.Write("1", Floats({1, 2, 3}));
  std::vector<std::unique_ptr<DataSet>> unequal;
  unequal.push_back(*OpenRawDataSet({kVector}, {raw.path()}, 0));
  unequal.push_back(*OpenImageDataSet(kPicture, pictures.path(), 0, {}));
  CHECK(Says(CombineDataSets(std::move(unequal)).status(), "data set 1 has 1 samples, but the first one 2"));
}

TEST_CASE("labels are paths and class indices") {
  const TemporaryFolder folder;
  const std::string file = folder.Write("labels.txt", "a/0.jpg\t3\tcat\textra\r\n\nb.jpg\t0\n");
  const auto labels = ReadLabels(file, "/pictures", 1);
  REQUIRE(labels.ok());
  CHECK(labels->files == std::vector<std::string>{"/pictures/a/0.jpg", "/pictures/b.jpg"});
  CHECK(labels->labels == std::vector<int64_t>{4, 1});
  CHECK(Says(ReadLabels(file, "", -1).status(), ":3: class index 0 with offset -1 is negative"));
  for (const char* bad : {"a.jpg 3", "a.jpg\t", "a.jpg\tx", "\t3", "a.jpg\t-1", "a.jpg\t99999999999999999999"}) {
    const std::string path = folder.Write("bad.txt", std::string("ok.jpg\t1\n") + bad + "\n");
    CHECK(Says(ReadLabels(path, "", 0).status(), path + ":2:"));
  }
  CHECK_FALSE(ReadLabels(folder.Write("empty.txt", "\n"), "", 0).ok());
  CHECK_FALSE(ReadLabels(folder.File("none.txt"), "", 0).ok());
}

}  // namespace
}  // namespace qlite
