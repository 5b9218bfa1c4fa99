#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tinta/core/sink.h"

// Fetching the public data sets, whose licences are their authors' business.

namespace tinta::data {

/// A file of a data set.
struct RemoteFile {
  std::string name;
  std::string md5;  ///< of the original, as its authors or the set's usual readers state it
};

/// A data set that can be fetched.
struct RemoteSet {
  std::string name;                  ///< as config::downloadable_names()
  std::vector<std::string> mirrors;  ///< URLs of folders, each with a "/" at its end
  std::vector<RemoteFile> files;
};

/// @throws ArgumentError, nearest name suggested
const RemoteSet& remote_set(const std::string& name);

/// The MD5 of a file, 32 hexadecimal digits. It finds damage, not forgery. @throws SystemError
std::string md5_of_file(const std::filesystem::path& path);

enum class Fetched { already_there, whole, stopped };

/// Fetches one file into a folder, from the first mirror that has it: into NAME.part, which a later
/// call goes on with where the server can, then, where its checksum is right, renamed to NAME. A
/// cut connection is taken up again, up to five times without a byte in between; a part that does
/// not lead to the right checksum is fetched anew. What is there already with the right checksum is
/// left as it is.
/// @throws DataError on another checksum (the part is removed), SystemError when no mirror gives
/// the
///         file, with what each said
Fetched fetch(const RemoteFile& file, const std::vector<std::string>& mirrors,
              const std::filesystem::path& folder, const Sinks& sinks, const StopRequested& stop);

}  // namespace tinta::data
