#include "tinta/figures/render.h"

#include "tinta/figures/canvas.h"
#include "tinta/figures/page.h"
#include "tinta/figures/svg_names.h"
#include "tinta/io/png.h"

namespace tinta::figures {

at::Tensor rasterise(const Figure& figure, double scale) {
  const Page page = page_of(figure);
  const Canvas canvas = Canvas::raster(page.size, scale);
  draw_page(canvas.context(), page);
  return canvas.pixels();
}

std::vector<std::byte> to_png(const Figure& figure, double scale,
                              const std::map<std::string, std::string>& text) {
  return io::encode_png(rasterise(figure, scale), text);
}

std::vector<std::byte> to_svg(const Figure& figure) {
  const Page page = page_of(figure);
  Canvas canvas = Canvas::svg(page.size);
  draw_page(canvas.context(), page);
  return with_stable_names(canvas.finish());
}

std::vector<std::byte> to_pdf(const Figure& figure) {
  const Page page = page_of(figure);
  Canvas canvas = Canvas::pdf(page.size);
  draw_page(canvas.context(), page);
  return canvas.finish();
}

}  // namespace tinta::figures
