#include "kernels/isa.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "kernels/conv_f16.h"
#include "kernels/gemm_f32.h"
#include "kernels/pool_u8.h"

namespace qlite::kernels {
namespace {

TEST_CASE("instruction sets are known by their names") {
  for (const char* name :
       {"generic", "sse42", "avx2", "avx512", "avxvnni", "avx512vnni", "amxint8", "neon", "neondot"}) {
    Isa isa;
    REQUIRE(ParseIsa(name, &isa));
    CHECK(std::string(IsaName(isa)) == name);
  }
  Isa isa = Isa::kAvx2;
  CHECK_FALSE(ParseIsa("mmx", &isa));
  CHECK_FALSE(ParseIsa("", &isa));
  CHECK(isa == Isa::kAvx2);
}

TEST_CASE("below dot products and matrix units lie the vectors they come on top of") {
  CHECK(WithoutMatrixUnit(Isa::kAmxInt8) == Isa::kAvx512Vnni);
  CHECK(WithoutDotProduct(Isa::kAmxInt8) == Isa::kAvx512);
  CHECK(WithoutDotProduct(Isa::kAvx512Vnni) == Isa::kAvx512);
  CHECK(WithoutDotProduct(Isa::kAvxVnni) == Isa::kAvx2);
  CHECK(WithoutDotProduct(Isa::kNeonDot) == Isa::kNeon);
  for (const Isa isa : {Isa::kGeneric, Isa::kSse42, Isa::kAvx2, Isa::kAvx512, Isa::kNeon}) {
    CHECK(WithoutMatrixUnit(isa) == isa);
    CHECK(WithoutDotProduct(isa) == isa);
  }
}

TEST_CASE("what has no dot products of 8-bit integers uses the vectors they come on top of") {
  for (const Isa isa : SupportedIsas()) {
    CHECK(&GemmF32(isa) == &GemmF32(WithoutDotProduct(isa)));
    CHECK(&ConvF16(isa) == &ConvF16(WithoutDotProduct(isa)));
    CHECK(&PoolU8(isa) == &PoolU8(WithoutDotProduct(isa)));
  }
}

TEST_CASE("the instruction sets of this processor begin with generic and ascend") {
  const auto isas = SupportedIsas();
  REQUIRE_FALSE(isas.empty());
  CHECK(isas.front() == Isa::kGeneric);
  CHECK(isas.back() == BestIsa());
  CHECK(std::is_sorted(isas.begin(), isas.end()));
  for (const Isa isa : isas) CHECK(IsSupported(isa));
  CHECK(IsSupported(BestVectorIsa()));
  CHECK(BestVectorIsa() == WithoutMatrixUnit(BestVectorIsa()));
  for (const Isa isa : isas) CHECK(IsSupported(WithoutDotProduct(isa)));
  CHECK(IsSupported(Isa::kAmxInt8) == (BestIsa() == Isa::kAmxInt8));
#if defined(__aarch64__)
  REQUIRE(isas.size() >= 2);
  CHECK(isas[1] == Isa::kNeon);
  CHECK((isas.size() == 2 || (isas.size() == 3 && isas[2] == Isa::kNeonDot)));
#endif
}

}  // namespace
}  // namespace qlite::kernels
