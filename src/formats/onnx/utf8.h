// Well-formedness of names.
#ifndef QLITE_FORMATS_ONNX_UTF8_H_
#define QLITE_FORMATS_ONNX_UTF8_H_

#include <string_view>

namespace qlite::onnx {

// `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) without zero bytes.
bool IsCleanUtf8(std::string_view text);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_UTF8_H_
