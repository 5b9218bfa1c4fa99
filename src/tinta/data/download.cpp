#include "tinta/data/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/sha256.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 5;
// Far above every file of these sets: a server cannot fill the disk.
constexpr curl_off_t kMostBytes = curl_off_t{1} << 30;

/// The unfinished file, opened for appending.
class Part {
 public:
  explicit Part(const fs::path& path) : path_(path) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) throw SystemError("[" + path.string() + "] cannot create", errno);
    size_ = ::lseek(file_, 0, SEEK_END);
  }
  ~Part() { ::close(file_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  [[nodiscard]] curl_off_t size() const noexcept { return size_; }

  void clear() {
    if (::ftruncate(file_, 0) != 0 || ::lseek(file_, 0, SEEK_SET) != 0) {
      throw SystemError("[" + path_.string() + "] cannot start over", errno);
    }
    size_ = 0;
  }

  void flush() const {
    if (::fsync(file_) != 0) throw SystemError("[" + path_.string() + "] cannot flush", errno);
  }

  /// False where the disk is full or fails, or the file grows too large.
  bool append(const char* data, std::size_t count) noexcept {
    for (std::size_t done = 0; done < count;) {
      const ssize_t written = ::write(file_, data + done, count - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        error_ = errno;
        return false;
      }
      done += static_cast<std::size_t>(written);
      size_ += written;
    }
    return size_ <= kMostBytes;
  }

  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  fs::path path_;
  int file_ = -1;
  curl_off_t size_ = 0;
  int error_ = 0;
};

/// What libcurl's callbacks see.
struct Transfer {
  Part& part;
  const std::string& name;
  curl_off_t begun;  ///< bytes that were there before
  const Sinks& sinks;
  const StopRequested& stop;
};

std::size_t on_data(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  return static_cast<Transfer*>(self)->part.append(data, size * count) ? size * count : 0;
}

int on_progress(void* self, curl_off_t total, curl_off_t now, curl_off_t /*up*/,
                curl_off_t /*upped*/) {
  const auto& transfer = *static_cast<Transfer*>(self);
  if (now > 0) {
    transfer.sinks.report({.what = transfer.name,
                           .done = transfer.begun + now,
                           .total = total > 0 ? transfer.begun + total : 0});
  }
  return transfer.stop && transfer.stop() ? 1 : 0;
}

struct Answer {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string text{};  ///< what went wrong
};

Answer ask(const std::string& url, Transfer transfer) {
  // Once for the process; libcurl's own initialisation is not for several threads.
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(
      ready == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (!curl) throw SystemError("[data get] libcurl does not start");
  std::array<char, CURL_ERROR_SIZE> error{};
  CURL* const it = curl.get();
  curl_easy_setopt(it, CURLOPT_URL, url.c_str());
  curl_easy_setopt(it, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(it, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(it, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(it, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(it, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(it, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(it, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(it, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(it, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(it, CURLOPT_USERAGENT, "tinta");
  curl_easy_setopt(it, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(it, CURLOPT_RESUME_FROM_LARGE, transfer.begun);
  curl_easy_setopt(it, CURLOPT_WRITEFUNCTION, &on_data);
  curl_easy_setopt(it, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(it, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(it, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(it, CURLOPT_NOPROGRESS, 0L);
  Answer answer{.code = curl_easy_perform(it)};
  curl_easy_getinfo(it, CURLINFO_RESPONSE_CODE, &answer.status);
  answer.text = error[0] != '\0' ? error.data() : curl_easy_strerror(answer.code);
  return answer;
}

/// Fetches the rest of a file from one mirror. @return nothing where all has come, "" where a stop
/// came, else what went wrong
std::optional<std::string> fetch_whole(const std::string& url, const fs::path& unfinished,
                                       const Sinks& sinks, const StopRequested& stop) {
  Part part(unfinished);
  const std::string name = unfinished.stem().string();
  std::string said;
  for (int tries = 0; tries < kTries; ++tries) {
    const curl_off_t before = part.size();
    const Answer answer = ask(url, {part, name, before, sinks, stop});
    if (answer.code == CURLE_OK) {
      part.flush();
      return std::nullopt;
    }
    if (answer.code == CURLE_ABORTED_BY_CALLBACK) return "";
    if (answer.code == CURLE_WRITE_ERROR && part.error() != 0) {
      throw SystemError("[" + unfinished.string() + "] cannot write", part.error());
    }
    said = answer.text;
    const bool cannot_go_on = answer.code == CURLE_RANGE_ERROR ||
                              answer.code == CURLE_BAD_DOWNLOAD_RESUME || answer.status == 416;
    if (cannot_go_on && before > 0) {
      part.clear();
    } else if (answer.code == CURLE_PARTIAL_FILE || answer.code == CURLE_RECV_ERROR ||
               answer.code == CURLE_GOT_NOTHING || answer.code == CURLE_OPERATION_TIMEDOUT) {
      if (part.size() > before) tries = -1;
      sinks.info(name + ": the connection was cut at byte " + std::to_string(part.size()) +
                 ", going on");
    } else {
      return said;
    }
  }
  return said;
}

}  // namespace

std::string md5_of_file(const fs::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) throw SystemError("[" + path.string() + "] cannot open", errno);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                       EVP_MD_CTX_free);
  bool well = digest && EVP_DigestInit_ex(digest.get(), EVP_md5(), nullptr) == 1;
  std::array<unsigned char, 65536> buffer{};
  for (std::size_t got = 1; well && got > 0;) {
    got = std::fread(buffer.data(), 1, buffer.size(), file.get());
    well = EVP_DigestUpdate(digest.get(), buffer.data(), got) == 1;
  }
  if (std::ferror(file.get()) != 0) throw SystemError("[" + path.string() + "] cannot read", errno);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (!well || EVP_DigestFinal_ex(digest.get(), bytes.data(), &size) != 1) {
    throw SystemError("[md5] libcrypto could not compute a checksum");
  }
  return hex(std::span(bytes).first(size));
}

Fetched fetch(const RemoteFile& file, const std::vector<std::string>& mirrors,
              const fs::path& folder, const Sinks& sinks, const StopRequested& stop) {
  const fs::path whole = folder / file.name, unfinished = folder / (file.name + ".part");
  std::error_code error;
  if (fs::is_regular_file(whole, error) && md5_of_file(whole) == file.md5) {
    return Fetched::already_there;
  }
  fs::create_directories(folder, error);
  if (error) {
    throw SystemError("[" + folder.string() + "] cannot make the folder: " + error.message());
  }
  std::string said;
  for (const std::string& mirror : mirrors) {
    const std::string url = mirror + (mirror.ends_with('/') ? "" : "/") + file.name;
    std::uintmax_t before = fs::file_size(unfinished, error);
    if (error) before = 0;
    auto problem = fetch_whole(url, unfinished, sinks, stop);
    if (!problem && before > 0 && md5_of_file(unfinished) != file.md5) {
      // What an earlier call left was of another file, or damaged.
      fs::remove(unfinished, error);
      problem = fetch_whole(url, unfinished, sinks, stop);
    }
    if (problem && problem->empty()) return Fetched::stopped;
    if (problem) {
      said += (said.empty() ? " " : "; ") + url + ": " + *problem;
      continue;
    }
    const std::string md5 = md5_of_file(unfinished);
    if (md5 != file.md5) {
      fs::remove(unfinished, error);
      said += (said.empty() ? " " : "; ") + url + ": expected the MD5 " + file.md5 + ", got " +
              md5 + ": it is damaged or another file, and was removed";
      continue;
    }
    fs::rename(unfinished, whole, error);
    if (error) throw SystemError("[" + whole.string() + "] cannot rename: " + error.message());
    flush_folder(folder);
    return Fetched::whole;
  }
  throw SystemError("[data get] cannot fetch " + file.name + ":" + said);
}

}  // namespace tinta::data
