#include "tinta/data/pack.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <numeric>
#include <optional>

#include "tinta/core/error.h"
#include "tinta/core/file_writer.h"
#include "tinta/core/sha256.h"
#include "tinta/data/pack_file.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBlockBytes = std::int64_t{1} << 24;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// Does work for each index on every core. An error is that of the lowest index, whatever the
/// threads. @throws Stopped rather than that
template <class Work>
void for_each_picture(std::int64_t first, std::int64_t count, const StopRequested& stop,
                      const Work& work) {
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
  std::atomic<bool> stopped = false;
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end && !stopped; ++i) {
      try {
        if (stop && stop()) {
          stopped = true;
          break;
        }
        work(first + i);
      } catch (...) {
        errors[static_cast<std::size_t>(i)] = std::current_exception();
      }
    }
  });
  if (stopped) throw Stopped{};
  const auto found =
      std::ranges::find_if(errors, [](const auto& error) { return error != nullptr; });
  if (found == errors.end()) return;
  try {
    std::rethrow_exception(*found);
  } catch (const DataError& error) {
    const auto bad = std::ranges::count_if(errors, [](const auto& e) { return e != nullptr; });
    const std::string what = std::string(error.what()).substr(error.path().size() + 3);
    throw DataError(
        error.path(),
        what + (bad > 1 ? "; " + std::to_string(bad - 1) + " more pictures cannot be read" : "") +
            "; see tinta data doctor");
  }
}

std::vector<std::uint64_t> hashes_of(const PackSource& source, const Sinks& sinks,
                                     const StopRequested& stop) {
  constexpr std::int64_t kPart = 4096;
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(source.count));
  for (std::int64_t first = 0; first < source.count; first += kPart) {
    for_each_picture(first, std::min(kPart, source.count - first), stop,
                     [&](std::int64_t i) { hashes[static_cast<std::size_t>(i)] = source.hash(i); });
    sinks.report(
        {.what = "reading", .done = std::min(first + kPart, source.count), .total = source.count});
  }
  return hashes;
}

/// Indices in the order of their hashes; equal ones keep the source's order.
std::vector<std::int64_t> order_of(const std::vector<std::uint64_t>& hashes) {
  std::vector<std::int64_t> order(hashes.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, {},
                           [&](std::int64_t i) { return hashes[static_cast<std::size_t>(i)]; });
  return order;
}

void pack(const fs::path& path, const std::string& content, const PackSource& source,
          const Sinks& sinks, const StopRequested& stop) {
  const std::vector<std::uint64_t> hashes = hashes_of(source, sinks, stop);
  const std::vector<std::int64_t> order = order_of(hashes);
  PackHeader header{.content = content,
                    .count = source.count,
                    .channels = source.channels,
                    .height = source.height,
                    .width = source.width,
                    .classes = source.classes,
                    .class_names = source.class_names};
  const std::int64_t bytes = header.picture_bytes();
  header.block = std::max<std::int64_t>(1, kBlockBytes / bytes);
  for (const std::int64_t i : order) {
    const auto at = static_cast<std::size_t>(i);
    header.hashes.push_back(hashes[at]);
    if (!source.labels.empty()) header.labels.push_back(source.labels[at]);
  }

  FileWriter file(path);
  const std::uint64_t offset = pictures_offset(header);
  std::vector<std::byte> block(
      static_cast<std::size_t>(std::min(header.block, header.count) * bytes));
  for (std::int64_t first = 0; first < header.count; first += header.block) {
    const std::int64_t here = std::min(header.block, header.count - first);
    for_each_picture(first, here, stop, [&](std::int64_t place) {
      const at::Tensor picture =
          source.picture(order[static_cast<std::size_t>(place)]).contiguous();
      TORCH_INTERNAL_ASSERT(picture.numel() == bytes && picture.scalar_type() == at::kByte);
      std::memcpy(block.data() + (place - first) * bytes, picture.const_data_ptr(),
                  static_cast<std::size_t>(bytes));
    });
    const auto whole =
        std::span<const std::byte>(block).first(static_cast<std::size_t>(here * bytes));
    header.digests.push_back(sha256(whole));
    file.write_at(offset + static_cast<std::uint64_t>(first * bytes), whole);
    sinks.report({.what = "packing", .done = first + here, .total = header.count});
  }
  file.write_at(0, encode_pack_header(header));
  file.commit();
}

/// Of the machine. Opening a pack has read it: what is small beside memory is still there.
std::size_t memory_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

Dataset dataset_of(PackFile pack) {
  const PackHeader& header = pack.header;
  const auto options = at::TensorOptions().dtype(at::kByte);
  // Mapped for reading only, and a data set is never written to.
  auto* const first = const_cast<std::byte*>(pack.pictures.data());
  Dataset dataset{.images = at::from_blob(
                      first, {header.count, header.channels, header.height, header.width},
                      [file = pack.file](void* /*first*/) mutable { file.reset(); }, options),
                  .classes = header.classes,
                  .class_names = header.class_names,
                  .streamed = pack.pictures.size() > memory_bytes() / 4};
  dataset.hashes = at::empty({header.count}, at::kLong);
  std::memcpy(dataset.hashes.mutable_data_ptr(), header.hashes.data(), 8 * header.hashes.size());
  if (!header.labels.empty()) {
    dataset.labels = at::empty({header.count}, at::kLong);
    std::memcpy(dataset.labels.mutable_data_ptr(), header.labels.data(), 8 * header.labels.size());
  }
  return dataset;
}

/// The packed file where there is one of this content that is whole.
std::optional<PackFile> find(const fs::path& path, const std::string& content, const Sinks& sinks,
                             const StopRequested& stop) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    PackFile pack = read_pack_header(path);
    if (pack.header.content != content) {
      sinks.info("the pictures have changed: packing them again");
      return std::nullopt;
    }
    verify_pictures(pack, path.string(), stop);
    return pack;
  } catch (const DataError& error) {
    sinks.warn(std::string("packed pictures are damaged, packing them again: ") + error.what());
    return std::nullopt;
  }
}

}  // namespace

fs::path cache_folder() {
  if (const std::string own = variable("TINTA_CACHE"); !own.empty()) return own;
  if (const std::string shared = variable("XDG_CACHE_HOME"); !shared.empty()) {
    return fs::path(shared) / "tinta";
  }
  if (const std::string home = variable("HOME"); !home.empty()) {
    return fs::path(home) / ".cache" / "tinta";
  }
  throw SystemError("[data] expected TINTA_CACHE, XDG_CACHE_HOME or HOME to be set, got none");
}

Dataset packed(const fs::path& folder, const PackKey& key,
               const std::function<PackSource()>& source, const Sinks& sinks,
               const StopRequested& stop) {
  const std::string content = sha256(key.content);
  const fs::path path = folder / (sha256(key.place).substr(0, 32) + ".pack");
  if (std::optional<PackFile> there = find(path, content, sinks, stop)) return dataset_of(*there);
  const PackSource pictures = source();
  if (pictures.count < 1) throw DataError(key.place, "expected at least one picture, got none");
  sinks.info("packing " + std::to_string(pictures.count) + " pictures into " + path.string());
  pack(path, content, pictures, sinks, stop);
  return dataset_of(read_pack_header(path));
}

}  // namespace tinta::data
