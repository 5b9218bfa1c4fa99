#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "tinta/sampling/sampler.h"

namespace tinta::sampling {

/// A picture of which a part is known, and how the rest is to be made to fit it.
struct Inpainting {
  at::Tensor known;  ///< x_0, broadcasts to [B,...]; what it says where `fill` is true is not used
  at::Tensor fill;   ///< bool, broadcasts to [B,...]: true where x_0 is to be found
  int resamplings = 10;  ///< r: how often each stretch of the chain is walked, at least 1
  int jump = 1;          ///< j: steps of ts that a stretch is long, at least 1
};

/// The walk that takes a chain of `count` steps down, as places in ts: 0 is ts[0], count is t = 0.
/// Down one place at a time; at the places count - 1, count - 1 - j, ... that have j places above
/// them, j places up again, r - 1 times each.
/// Source: Lugmayr et al. 2022, appendix B ("jump_length", "jump_n_sample").
/// @throws ArgumentError unless count, resamplings and jump are at least 1
std::vector<int> repaint_walk(int count, int resamplings, int jump);

/// Fills in a picture by a model that never learned to (RePaint, Lugmayr et al. 2022,
/// arXiv:2201.09865, algorithm 1): after each reverse step the known part is replaced by a fresh
/// draw of q(x_s | x_0), and the chain goes up by q(x_t | x_s) and down again, so that the unknown
/// part comes to agree with the known one. With resamplings = 1 it is replacement alone (Song et
/// al. 2021, arXiv:2011.13456, appendix I.2), whose fillings agree with the known part too little:
/// see inpaint_test.cpp for by how much. The paper's algorithm prints beta_{t-1} and alpha_bar_t
/// where the step up takes beta_t and the known part at t - 1 takes alpha_bar_{t-1}.
///
/// The known part of the result is `known`, bit for bit.
/// @param chain    its noise is asked for by the place of the draw, 0, 1, 2, ...: a level is
/// visited
///                 more than once. Progress counts reverse steps
/// @param sampling the sampler that makes the reverse steps, by name, and its settings
/// @param ts       strictly falling, down to 0
/// @param x        [B,...] floating, at noise level ts[0]
/// @return like x
/// @throws ArgumentError on shapes that do not broadcast, another dtype of `fill`, a ts that does
/// not
///         end at 0, and as the sampler does
at::Tensor inpaint(const Chain& chain, const config::SamplingConfig& sampling,
                   const Inpainting& inpainting, const std::vector<int>& ts, at::Tensor x);

}  // namespace tinta::sampling
