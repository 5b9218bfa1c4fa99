#include "tinta/data/condor_bird.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <numbers>
#include <utility>

namespace tinta::data {
namespace {

constexpr int kParts = 8;
constexpr Color kBlack = rgb(0x0F0D14);
constexpr Color kSoot = rgb(0x2B2632);
constexpr Color kShade = rgb(0x5A525E);
constexpr Color kWhite = rgb(0xF7F1E8);
constexpr Color kSilver = rgb(0xC4BCC4);
constexpr Color kSkin = rgb(0xB4644F);
constexpr Color kSkinDark = rgb(0x7C3D3A);
constexpr Color kIvory = rgb(0xF1DFB4);
constexpr Color kRim = rgb(0xF2A65E);

double lerp(double a, double b, double t) { return a + t * (b - a); }
Point lerp(Point a, Point b, double t) { return a + t * (b - a); }

/// A vane along the curve root - bend - tip (quadratic Bezier), with a rounded tip.
/// @param width of the vane at its widest
Path feather(Point root, Point bend, Point tip, double width) {
  constexpr int kSteps = 14;
  Path left, right;
  for (int i = 0; i <= kSteps; ++i) {
    // Steps get shorter towards the tip, where the outline turns.
    const double t = std::sin(0.5 * std::numbers::pi * i / kSteps);
    const Point at = lerp(lerp(root, bend, t), lerp(bend, tip, t), t);
    const Point along = lerp(bend - root, tip - bend, t);
    const double length = std::hypot(along.x, along.y);
    const Point across{-along.y / length, along.x / length};
    const double round =
        t < 0.82 ? 1 : std::sqrt(std::max(0.0, 1 - std::pow((t - 0.82) / 0.18, 2)));
    const double half = 0.5 * width * lerp(0.8, 1, t) * round;
    left.push_back(at + half * across);
    right.push_back(at - half * across);
  }
  left.insert(left.end(), right.rbegin(), right.rend());
  return left;
}

Path ellipse(Point centre, double rx, double ry) {
  constexpr int kSides = 40;
  Path path;
  for (int i = 0; i < kSides; ++i) {
    const double angle = 2 * std::numbers::pi * i / kSides;
    path.push_back(centre + Point{rx * std::cos(angle), ry * std::sin(angle)});
  }
  return path;
}

Path outline(std::initializer_list<Point> knots) { return smooth(Path(knots), kParts); }

/// Collects shapes through a map from the bird's units to the picture's.
class Plumage {
 public:
  explicit Plumage(const Affine& place) : place_(place) {}

  void add(const Path& path, const Paint& paint) {
    Paint placed = paint;
    placed.from = place_(paint.from);
    placed.to = place_(paint.to);
    shapes_.push_back({place_(path), placed});
  }
  /// A feather that goes from one colour at its root to another at its tip.
  void add_feather(Point root, Point bend, Point tip, double width, const Color& at_root,
                   const Color& at_tip) {
    add(feather(root, bend, tip, width), {at_root, at_tip, root, tip});
  }
  std::vector<Shape> take() { return std::move(shapes_); }
  void append(std::vector<Shape> more) { shapes_.insert(shapes_.end(), more.begin(), more.end()); }

 private:
  Affine place_;
  std::vector<Shape> shapes_;
};

// The wing below is the right one, +x outwards; the left one is its mirror image.

/// The white panel: the secondaries, with dark gaps between them.
void add_secondaries(Plumage& plumage) {
  constexpr int kCount = 12;
  for (int i = 0; i < kCount; ++i) {
    const double t = static_cast<double>(i) / (kCount - 1);
    const Point root{lerp(0.07, 0.58, t), lerp(0.0, -0.1, t)};
    const Point tip{lerp(0.075, 0.70, t),
                    lerp(0.25, 0.15, t) + 0.045 * std::sin(std::numbers::pi * t)};
    const Point bend = lerp(root, tip, 0.5) + Point{-0.008, 0};
    plumage.add_feather(root, bend, tip, 0.068, kBlack, kShade);
    plumage.add_feather(root, bend, tip + Point{0, -0.004}, 0.055, kSilver, kWhite);
  }
}

/// The fingers: long primaries, spread so that the sky shows between them.
void add_primaries(Plumage& plumage) {
  constexpr int kCount = 8;
  for (int i = kCount - 1; i >= 0; --i) {
    const double t = static_cast<double>(i) / (kCount - 1);
    const double angle = lerp(-20, 66, std::pow(t, 0.92)) * std::numbers::pi / 180;
    const double length = lerp(0.39, 0.27, t) - 0.05 * std::pow(1 - t, 6);
    const Point direction{std::cos(angle), std::sin(angle)};
    const Point root{lerp(0.63, 0.58, t), lerp(-0.15, -0.02, t)};
    const Point tip = root + length * direction;
    // The tips bend forward, as the air lifts them.
    const Point bend = lerp(root, tip, 0.55) + 0.035 * Point{-direction.y, direction.x};
    plumage.add_feather(root, bend, tip, lerp(0.044, 0.056, t), kSoot, kBlack);
  }
}

/// Short feathers over the roots of the fingers.
void add_primary_coverts(Plumage& plumage) {
  constexpr int kCount = 6;
  for (int i = kCount - 1; i >= 0; --i) {
    const double t = static_cast<double>(i) / (kCount - 1);
    const double angle = lerp(-12, 62, t) * std::numbers::pi / 180;
    const Point root{lerp(0.6, 0.55, t), lerp(-0.15, -0.06, t)};
    const Point tip = root + lerp(0.19, 0.15, t) * Point{std::cos(angle), std::sin(angle)};
    plumage.add_feather(root, lerp(root, tip, 0.5), tip, 0.066, kBlack, kSoot);
  }
}

/// The dark fore wing over the roots of both, with a rim of evening light.
void add_arm(Plumage& plumage) {
  const Path arm = outline({{0, -0.11},
                            {0.16, -0.155},
                            {0.4, -0.225},
                            {0.56, -0.215},
                            {0.66, -0.155},
                            {0.67, -0.075},
                            {0.58, -0.015},
                            {0.4, 0.005},
                            {0.2, 0.055},
                            {0, 0.11}});
  plumage.add(Affine::translation({0.004, -0.012})(arm), {kRim, kBlack, {0.3, 0}, {0.6, 0}});
  plumage.add(arm, {kSoot, kBlack, {0.3, -0.2}, {0.33, 0.02}});
  // The edge of the coverts: a row of small pale feathers.
  constexpr int kCount = 10;
  for (int i = 0; i < kCount; ++i) {
    const double t = static_cast<double>(i) / (kCount - 1);
    const Point root{lerp(0.10, 0.56, t), lerp(0.02, -0.06, t)};
    const Point tip = root + Point{lerp(0.0, 0.03, t), 0.062};
    plumage.add_feather(root, lerp(root, tip, 0.5), tip, 0.045, kBlack, kSoot);
  }
}

std::vector<Shape> wing(const Affine& place) {
  Plumage plumage(place);
  add_secondaries(plumage);
  add_primaries(plumage);
  add_primary_coverts(plumage);
  add_arm(plumage);
  return plumage.take();
}

void add_tail(Plumage& plumage) {
  constexpr int kCount = 9;
  for (int i = 0; i < kCount; ++i) {
    // From the sides to the middle, which lies on top.
    const int rank = i / 2;
    const double side = (i % 2 == 0 ? 1.0 : -1.0) * (1 - 2.0 * rank / (kCount - 1));
    const double angle = side * 24 * std::numbers::pi / 180;
    const Point root{0.03 * side, 0.14};
    const Point tip =
        root + (0.31 - 0.03 * std::abs(side)) * Point{std::sin(angle), std::cos(angle)};
    plumage.add_feather(root, lerp(root, tip, 0.5), tip, 0.074, kBlack, kSoot);
    plumage.add_feather(root, lerp(root, tip, 0.5), lerp(root, tip, 0.985), 0.06, kBlack, kBlack);
  }
}

void add_body(Plumage& plumage) {
  const Path body = outline({{0, -0.2},
                             {0.08, -0.15},
                             {0.115, -0.02},
                             {0.095, 0.13},
                             {0.04, 0.25},
                             {0, 0.28},
                             {-0.04, 0.25},
                             {-0.095, 0.13},
                             {-0.115, -0.02},
                             {-0.08, -0.15},
                             {0, -0.2}});
  plumage.add(body, {kSoot, kBlack, {-0.04, -0.16}, {0.05, 0.16}});
}

/// The downy ruff at the foot of the neck.
void add_collar(Plumage& plumage) {
  constexpr int kTufts = 11;
  for (int i = 0; i < kTufts; ++i) {
    const double angle = 2 * std::numbers::pi * i / kTufts;
    const Point at{0.072 * std::cos(angle), -0.185 + 0.04 * std::sin(angle)};
    plumage.add(ellipse(at, 0.034, 0.031), Paint::flat(i % 2 == 0 ? kWhite : kSilver));
  }
  plumage.add(ellipse({0, -0.188}, 0.08, 0.046), Paint::flat(kWhite));
}

void add_head(Plumage& plumage) {
  plumage.add(outline({{0.036, -0.18},
                       {0.034, -0.25},
                       {0.02, -0.3},
                       {-0.03, -0.3},
                       {-0.036, -0.25},
                       {-0.036, -0.18},
                       {0.036, -0.18}}),
              {kSkin, kSkinDark, {-0.03, -0.25}, {0.04, -0.22}});
  plumage.add(outline({{-0.075, -0.335},
                       {-0.12, -0.325},
                       {-0.15, -0.298},
                       {-0.146, -0.27},
                       {-0.13, -0.29},
                       {-0.075, -0.285},
                       {-0.075, -0.335}}),
              Paint::flat(kIvory));
  plumage.add(ellipse({-0.03, -0.315}, 0.062, 0.043),
              {kSkin, kSkinDark, {0, -0.34}, {0.03, -0.28}});
  // The comb that only the male has.
  plumage.add(outline({{-0.1, -0.335},
                       {-0.09, -0.37},
                       {-0.04, -0.38},
                       {0, -0.355},
                       {-0.03, -0.34},
                       {-0.1, -0.335}}),
              Paint::flat(kSkinDark));
  plumage.add(ellipse({-0.045, -0.32}, 0.011, 0.011), Paint::flat(kBlack));
}

}  // namespace

std::vector<Shape> condor_bird(const Affine& place) {
  Plumage plumage(place);
  add_tail(plumage);
  plumage.append(wing(place));
  plumage.append(wing(place.after(Affine::scale(-1, 1))));
  add_body(plumage);
  add_collar(plumage);
  add_head(plumage);
  return plumage.take();
}

}  // namespace tinta::data
