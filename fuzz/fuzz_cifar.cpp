#include "fuzzing.h"
#include "tinta/io/cifar.h"

// Both versions of both sets. What is accepted holds a picture and a label in range for each
// record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tinta::io;
  const auto require_whole = [](const LabelledImages& batch, Cifar kind) {
    const std::int64_t count = batch.labels.size(0);
    tinta::fuzz::require(count > 0 && batch.images.numel() == count * 3 * 32 * 32);
    const std::int64_t* const labels = batch.labels.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < count; ++i) {
      tinta::fuzz::require(labels[i] >= 0 && labels[i] < classes_of(kind));
    }
  };
  for (const Cifar kind : {Cifar::ten, Cifar::hundred}) {
    tinta::fuzz::check(data, size, [&](std::span<const std::byte> bytes) {
      require_whole(parse_cifar_pickle(bytes, kind, "fuzz"), kind);
    });
    tinta::fuzz::check(data, size, [&](std::span<const std::byte> bytes) {
      require_whole(parse_cifar_binary(bytes, kind, "fuzz.bin"), kind);
    });
    tinta::fuzz::check(data, size, [&](std::span<const std::byte> bytes) {
      parse_cifar_meta(bytes, kind, "fuzz.meta");
    });
  }
  return 0;
}
