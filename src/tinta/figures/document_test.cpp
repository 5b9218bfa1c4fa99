#include "tinta/figures/document.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "tinta/core/error.h"

namespace tinta::figures {
namespace {

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> document(int paragraphs) {
  Document out("A title");
  out.heading("First", 1);
  for (int i = 0; i < paragraphs; ++i) {
    out.paragraph("A drop of ink < a glass & \"water\": ᾱ. " + std::string(2000, 'x'));
  }
  out.table({0.5, 0.5}, {{"what", "value"}, {"a", "1"}});
  out.picture(at::zeros({3, 40, 60}, at::kByte), 60);
  out.picture(at::zeros({1, 4000, 60}, at::kByte), 60);
  return out.finish();
}

/// The number of pages that the page tree counts.
int pages(const std::string& pdf) {
  constexpr std::string_view kKey = "/Count ";
  const std::size_t found = pdf.find(kKey);
  return found == std::string::npos ? 0 : std::atoi(pdf.c_str() + found + kKey.size());
}

TEST(Document, IsAPdfOfAsManyPagesAsItNeeds) {
  const std::string few = text_of(document(1)), many = text_of(document(30));
  EXPECT_EQ(few.substr(0, 5), "%PDF-");
  EXPECT_EQ(pages(few), 2);  // the tall picture takes a page of its own
  EXPECT_GT(pages(many), pages(few) + 5);
}

TEST(Document, EqualContentIsEqualBytes) { EXPECT_EQ(document(3), document(3)); }

TEST(Document, ATableWithAMissingCellIsRefused) {
  Document out("A title");
  EXPECT_THROW(out.table({0.5, 0.5}, {{"what", "value"}, {"a"}}), ArgumentError);
}

}  // namespace
}  // namespace tinta::figures
