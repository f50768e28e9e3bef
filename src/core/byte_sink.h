// Where bytes go that are made piece by piece.
#ifndef QLITE_CORE_BYTE_SINK_H_
#define QLITE_CORE_BYTE_SINK_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace qlite {

class ByteSink {
 public:
  virtual ~ByteSink() = default;

  // How many bytes will be appended; before any is.
  virtual void Expect(uint64_t /*bytes*/) {}
  virtual absl::Status Append(std::string_view bytes) = 0;
  // Replaces bytes that were appended before.
  virtual absl::Status Overwrite(uint64_t offset, std::string_view bytes) = 0;
};

class StringSink : public ByteSink {
 public:
  void Expect(uint64_t bytes) override { bytes_.reserve(bytes); }
  absl::Status Append(std::string_view bytes) override {
    bytes_.append(bytes);
    return absl::OkStatus();
  }
  absl::Status Overwrite(uint64_t offset, std::string_view bytes) override {
    bytes_.replace(offset, bytes.size(), bytes);
    return absl::OkStatus();
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace qlite

#endif  // QLITE_CORE_BYTE_SINK_H_
