#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tinta::figures {

/// A printed document, laid out from top to bottom on A4 pages with a page number at each foot. All
/// texts are plain UTF-8.
class Document {
 public:
  explicit Document(const std::string& title);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// Kept on one page with what follows. @param level 1 or 2
  void heading(const std::string& text, int level);
  void paragraph(const std::string& text);
  /// Lines of columns; the first row is the head.
  /// @param shares of the width that each column takes, summing to at most 1
  /// @throws ArgumentError when a row has another number of cells
  void table(const std::vector<double>& shares, const std::vector<std::vector<std::string>>& rows);
  /// A picture across the page, or as wide as lets it stand on one page.
  /// @param image [3,H,W] or [1,H,W] uint8
  /// @param points its natural width; it is never drawn wider
  void picture(const at::Tensor& image, double points);

  /// The document as a PDF. Nothing may be added after. @throws SystemError
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  struct Page;
  std::unique_ptr<Page> page_;
};

}  // namespace tinta::figures
