#pragma once

namespace tinta::kernels {

/// The numbers of one AdamW step, the same for every parameter.
struct AdamwStep {
  float learning_rate = 0;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float weight_decay = 0;    ///< decoupled: the weight loses learning_rate * weight_decay of itself
  float correction1 = 1;     ///< 1 - beta1^step
  float correction2 = 1;     ///< 1 - beta2^step
  float gradient_scale = 1;  ///< what gradients are multiplied by: clipping, and 1 / loss_scale
  float loss_scale = 1;      ///< what the loss was multiplied by (training/loss_scale.h); read only
                             ///< where gradient_scale follows from it (adamw.h, LiveStep)
  float ema_decay = 0;       ///< ema = decay ema + (1 - decay) weight
};

}  // namespace tinta::kernels
