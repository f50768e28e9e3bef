// Hashes that tell data sets and graphs apart: XXH3 with 64 bits, fed with lengths before contents so that no two
// sequences of pieces are the same bytes. Not meant to resist an adversary.
#ifndef QLITE_CALIB_FINGERPRINT_H_
#define QLITE_CALIB_FINGERPRINT_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "qlite/tensor.h"

namespace qlite::calib {

class Fingerprinter {
 public:
  Fingerprinter();
  ~Fingerprinter();
  Fingerprinter(const Fingerprinter&) = delete;
  Fingerprinter& operator=(const Fingerprinter&) = delete;

  void AddInteger(int64_t value);
  void AddBytes(std::string_view bytes);
  // The same of a buffer's bytes; of a large mapped file only a piece is in memory at a time.
  void AddBuffer(const Buffer& buffer);
  template <class T>
  void AddValues(std::span<const T> values) {
    AddBytes({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  uint64_t Value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The hash of one piece.
uint64_t HashBytes(std::string_view bytes);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_FINGERPRINT_H_
