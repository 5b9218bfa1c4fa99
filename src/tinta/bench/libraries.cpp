#include <ATen/ATen.h>
#include <archive.h>
#include <cairo.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <pango/pango.h>
#include <png.h>
#include <torch/version.h>
#include <webp/decode.h>
#include <zlib.h>

#include <string>

#include "tinta/bench/machine_facts.h"

namespace tinta::bench {
namespace {

// "1.2.4" from 0x010204.
std::string dotted(int packed) {
  return std::to_string(packed >> 16) + "." + std::to_string(packed >> 8 & 0xFF) + "." +
         std::to_string(packed & 0xFF);
}

// "3.6.2" from 3006002.
std::string thousands(int packed) {
  return std::to_string(packed / 1000000) + "." + std::to_string(packed / 1000 % 1000) + "." +
         std::to_string(packed % 1000);
}

}  // namespace

// Of libraries that are there twice, as headers and as what runs, what runs.
std::vector<std::pair<std::string, std::string>> library_versions() {
  return {{"LibTorch", TORCH_VERSION},
          {"oneDNN", at::hasMKLDNN() ? "in LibTorch" : "none: convolutions will be slow"},
          {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
          {"libcurl", curl_version_info(CURLVERSION_NOW)->version},
          {"libarchive", thousands(archive_version_number())},
          {"zlib", zlibVersion()},
          {"libpng", png_get_libpng_ver(nullptr)},
          {"libwebp", dotted(WebPGetDecoderVersion())},
          {"cairo", cairo_version_string()},
          {"pango", pango_version_string()}};
}

}  // namespace tinta::bench
