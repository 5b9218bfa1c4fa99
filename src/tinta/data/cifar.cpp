#include "tinta/data/cifar.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/io/tar.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;
using io::Cifar;
using Names = std::vector<std::string>;

// Above every file of the originals: CIFAR-100's training pictures are 154 MB.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

struct Form {
  Cifar kind;
  bool pickled;
  const char* folder;
  const char* archive;
  Names train, test;
  const char* names;  ///< the file that names the classes
};

const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {Cifar::ten,
       false,
       "cifar-10-batches-bin",
       "cifar-10-binary.tar.gz",
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
        "data_batch_5.bin"},
       {"test_batch.bin"},
       "batches.meta.txt"},
      {Cifar::ten,
       true,
       "cifar-10-batches-py",
       "cifar-10-python.tar.gz",
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"},
       {"test_batch"},
       "batches.meta"},
      {Cifar::hundred,
       false,
       "cifar-100-binary",
       "cifar-100-binary.tar.gz",
       {"train.bin"},
       {"test.bin"},
       "fine_label_names.txt"},
      {Cifar::hundred,
       true,
       "cifar-100-python",
       "cifar-100-python.tar.gz",
       {"train"},
       {"test"},
       "meta"},
  };
  return all;
}

const Names& batches(const Form& form, Split split) {
  return split == Split::train ? form.train : form.test;
}

const char* name_of(Cifar kind) { return kind == Cifar::ten ? "cifar10" : "cifar100"; }

/// Where data of one form lie.
struct Place {
  const Form* form;
  fs::path path;  ///< of the folder, the archive or the one batch
  enum class Kind { folder, archive, batch } kind;
};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool holds_batches(const fs::path& folder, const Form& form) {
  const auto there = [&](const std::string& name) { return is_file(folder / name); };
  const bool some = std::ranges::any_of(form.train, there) || std::ranges::any_of(form.test, there);
  // "train" and "test" alone say little.
  return some && (form.kind == Cifar::ten || is_file(folder / form.names));
}

std::optional<Place> place_of(const fs::path& path, const Form& form) {
  using Kind = Place::Kind;
  if (is_file(path)) {
    if (path.filename() == form.archive) return Place{&form, path, Kind::archive};
    std::error_code failed;
    const std::uintmax_t size = fs::file_size(path, failed);
    const bool whole = !failed && size > 0 && size % io::record_bytes(form.kind) == 0;
    if (!form.pickled && path.extension() == ".bin" && whole) {
      return Place{&form, path, Kind::batch};
    }
    return std::nullopt;
  }
  for (const fs::path& folder : {path, path / form.folder}) {
    if (holds_batches(folder, form)) return Place{&form, folder, Kind::folder};
  }
  if (is_file(path / form.archive)) return Place{&form, path / form.archive, Kind::archive};
  return std::nullopt;
}

std::optional<Place> place_of(const fs::path& path, Cifar kind) {
  for (const Form& form : forms()) {
    if (form.kind != kind) continue;
    if (auto place = place_of(path, form)) return place;
  }
  return std::nullopt;
}

/// The bytes of files that lie together.
using Files = std::vector<io::TarMember>;

Files read_archive(const Place& place, const Names& wanted) {
  const std::string prefix = std::string(place.form->folder) + "/";
  const auto is_wanted = [&](const std::string& name) {
    const std::string_view plain =
        name.starts_with("./") ? std::string_view(name).substr(2) : std::string_view(name);
    return plain.starts_with(prefix) && std::ranges::count(wanted, plain.substr(prefix.size())) > 0;
  };
  Files files = io::read_tar_gz(read_bytes(place.path), place.path.string(), is_wanted, kMostBytes);
  for (io::TarMember& file : files) file.name = fs::path(file.name).filename().string();
  return files;
}

Files read_folder(const Place& place, const Names& wanted) {
  Files files;
  for (const std::string& name : wanted) {
    if (is_file(place.path / name)) files.push_back({name, read_bytes(place.path / name)});
  }
  return files;
}

const io::TarMember* find(const Files& files, const std::string& name) {
  const auto found = std::ranges::find(files, name, &io::TarMember::name);
  return found == files.end() ? nullptr : &*found;
}

io::LabelledImages parse(const Form& form, std::span<const std::byte> bytes,
                         const std::string& path) {
  return form.pickled ? io::parse_cifar_pickle(bytes, form.kind, path)
                      : io::parse_cifar_binary(bytes, form.kind, path);
}

Names class_names(const Form& form, const io::TarMember& file, const std::string& path) {
  if (form.pickled) return io::parse_cifar_meta(file.content, form.kind, path);
  const std::string_view text(reinterpret_cast<const char*>(file.content.data()),
                              file.content.size());
  return io::parse_cifar_names(text, form.kind, path);
}

Dataset dataset_of(Cifar kind, std::vector<at::Tensor> images, std::vector<at::Tensor> labels) {
  return {.name = name_of(kind),
          .images = images.size() == 1 ? images.front() : at::cat(images),
          .labels = labels.size() == 1 ? labels.front() : at::cat(labels),
          .classes = io::classes_of(kind)};
}

}  // namespace

bool holds_cifar(const fs::path& path, Cifar kind) { return place_of(path, kind).has_value(); }

std::vector<Split> cifar_splits(const fs::path& path, Cifar kind) {
  const std::optional<Place> place = place_of(path, kind);
  if (!place) return {};
  if (place->kind == Place::Kind::batch) return {Split::train};
  std::vector<Split> found;
  for (const Split split : {Split::train, Split::test}) {
    const bool there = place->kind == Place::Kind::archive ||
                       std::ranges::any_of(batches(*place->form, split), [&](const auto& name) {
                         return is_file(place->path / name);
                       });
    if (there) found.push_back(split);
  }
  return found;
}

Dataset open_cifar(const fs::path& path, Split split, Cifar kind) {
  const std::optional<Place> place = place_of(path, kind);
  if (!place) {
    throw DataError(path.string(), std::string("expected the files of ") + name_of(kind) +
                                       ", unpacked or as .tar.gz, got none");
  }
  const Form& form = *place->form;
  if (place->kind == Place::Kind::batch) {
    if (split != Split::train) {
      throw DataError(path.string(), "expected the test split, got one batch of training pictures");
    }
    io::LabelledImages batch = parse(form, read_bytes(path), path.string());
    return dataset_of(kind, {batch.images}, {batch.labels});
  }
  Names wanted = batches(form, split);
  wanted.emplace_back(form.names);
  const Files files = place->kind == Place::Kind::archive ? read_archive(*place, wanted)
                                                          : read_folder(*place, wanted);
  const auto path_of = [&](const std::string& name) { return (place->path / name).string(); };
  std::vector<at::Tensor> images, labels;
  for (const std::string& name : batches(form, split)) {
    const io::TarMember* file = find(files, name);
    if (file == nullptr) {
      throw DataError(place->path.string(),
                      "expected " + join(batches(form, split), ", ") + ", got no " + name);
    }
    io::LabelledImages batch = parse(form, file->content, path_of(name));
    images.push_back(std::move(batch.images));
    labels.push_back(std::move(batch.labels));
  }
  Dataset dataset = dataset_of(kind, std::move(images), std::move(labels));
  if (const io::TarMember* file = find(files, form.names)) {
    dataset.class_names = class_names(form, *file, path_of(form.names));
  }
  return dataset;
}

}  // namespace tinta::data
