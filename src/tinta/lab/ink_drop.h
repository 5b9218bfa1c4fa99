#pragma once

#include "tinta/figures/figure.h"
#include "tinta/lab/row.h"
#include "tinta/physics/ensemble.h"

namespace tinta::lab {

/// What the row ink-drop simulates. Lengths are in widths L of the glass, times in L^2 / D. In
/// water without forces a step's displacement is Gaussian whatever the step's length, and a wall
/// folds it back, so that no moment here depends on the number of steps.
struct InkDrop {
  std::int64_t particles = 1'000'000;  ///< a multiple of 1000
  std::int64_t steps = 400;            ///< after the free stage, growing in length
  double end = 1.2;                    ///< when the slowest mode has fallen by exp(-7.6)
  int frames = 60;                     ///< of the animation, about; 0: none
  double noise_factor = 1;             ///< other values break the check on purpose
  physics::Walls::Kind walls = physics::Walls::Kind::reflecting;
};

/// What was seen of the ink at some moments.
struct InkRecord {
  std::vector<double> times;
  std::vector<at::Tensor> displacement;  ///< each [groups]: mean square displacement
  std::vector<at::Tensor> modes;         ///< each [modes]: mean of cos(kx x) cos(ky y)
  std::vector<at::Tensor> mode_excess;   ///< each [modes]: mean of what no decay law explains
  std::vector<at::Tensor> mode_error;    ///< each [modes]: its standard error
  std::vector<double> unevenness;        ///< chi-square per degree of freedom
  std::vector<at::Tensor> pictures;      ///< each [rows,columns] int64
  std::vector<double> picture_times;
  at::Tensor positions;          ///< [N,2] float32, at the end
  at::Tensor cells;              ///< [rows,columns] int64, coarse, at the end
  std::int64_t inside = 0;       ///< particles within the walls at the end
  std::size_t free_moments = 0;  ///< how many moments lie before the walls are felt
};

Result ink_drop(const Context& context, const InkDrop& drop);

/// The ink as it looks, and its density. @param record with at least one picture
figures::Figure ink_picture_figure(const InkRecord& record);
/// Displacement, decay of the modes and unevenness against their laws.
figures::Figure ink_law_figure(const InkRecord& record, const InkDrop& drop);
figures::Animation ink_animation(const InkRecord& record);

/// Wave numbers (kx, ky) of the modes that InkRecord follows.
std::vector<std::pair<double, double>> ink_modes();

}  // namespace tinta::lab
