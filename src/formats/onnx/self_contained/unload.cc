// Where protobuf is a part of the library alone, it has to give up its tables when the library is unloaded. (A copy
// that others use is not the library's to shut down.)
#include <google/protobuf/stubs/common.h>

namespace qlite::onnx {
namespace {

__attribute__((destructor)) void ShutDownProtobuf() { google::protobuf::ShutdownProtobufLibrary(); }

}  // namespace
}  // namespace qlite::onnx
