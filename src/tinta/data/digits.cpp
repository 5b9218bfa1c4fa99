#include "tinta/data/digits.h"

#include <array>
#include <cstddef>

namespace tinta::data {
namespace {

using Designs = std::vector<DigitDesign>;

Designs zero() {
  const Path oval = {{.38, 0},   {.14, .12}, {.03, .5},  {.13, .88}, {.34, 1},
                     {.56, .86}, {.63, .48}, {.55, .13}, {.38, 0},   {.26, .03}};
  const Path slim = {{.4, .02},  {.22, .1}, {.1, .4},   {.09, .74}, {.22, .98},
                     {.42, .92}, {.54, .6}, {.55, .26}, {.44, .04}, {.34, .03}};
  return {{oval}, {slim}};
}

Designs one() {
  const Path bare = {{.32, 0}, {.31, .33}, {.3, .66}, {.29, 1}};
  const Path flagged = {{.1, .25}, {.24, .14}, {.35, 0}, {.35, 0}, {.35, .5}, {.35, 1}};
  const Path foot = {{.12, 1}, {.35, 1}, {.58, 1}};
  return {{bare}, {flagged}, {flagged, foot}};
}

Designs two() {
  const Path angular = {{.05, .22}, {.14, .05}, {.34, 0}, {.53, .09}, {.57, .3}, {.43, .58},
                        {.22, .82}, {.02, 1},   {.02, 1}, {.3, .98},  {.63, .97}};
  const Path looped = {{.07, .17}, {.3, 0},    {.53, .1},  {.54, .36}, {.36, .68}, {.16, .94},
                       {.03, .92}, {.08, .78}, {.24, .81}, {.42, .96}, {.64, .9}};
  return {{angular}, {looped}};
}

Designs three() {
  const Path round = {{.06, .13}, {.26, 0},   {.49, .08}, {.52, .28}, {.4, .43}, {.22, .48},
                      {.22, .48}, {.46, .53}, {.59, .72}, {.51, .92}, {.28, 1},  {.03, .9}};
  const Path flat_topped = {{.06, .02}, {.3, .01},  {.57, 0},  {.57, 0},  {.42, .19}, {.26, .39},
                            {.26, .39}, {.48, .45}, {.6, .67}, {.5, .92}, {.26, 1},   {.03, .9}};
  return {{round}, {flat_topped}};
}

Designs four() {
  const Path open_arm = {{.13, 0}, {.09, .28}, {.06, .54}, {.06, .54}, {.32, .55}, {.64, .52}};
  const Path open_stem = {{.5, .02}, {.48, .5}, {.46, 1}};
  const Path closed_arm = {{.47, 0}, {.25, .33}, {.02, .66}, {.02, .66}, {.32, .66}, {.66, .65}};
  const Path closed_stem = {{.47, 0}, {.47, .5}, {.47, 1}};
  return {{open_arm, open_stem}, {closed_arm, closed_stem}};
}

Designs five() {
  const Path joined = {{.57, 0},   {.36, .01}, {.14, .02}, {.14, .02}, {.11, .22},
                       {.09, .44}, {.09, .44}, {.32, .37}, {.55, .5},  {.59, .73},
                       {.46, .94}, {.24, 1},   {.03, .91}};
  const Path body = {{.17, .05}, {.13, .25}, {.1, .45}, {.1, .45}, {.34, .41},
                     {.56, .56}, {.54, .84}, {.32, 1},  {.04, .94}};
  const Path hat = {{.17, .05}, {.38, .03}, {.61, 0}};
  return {{joined}, {body, hat}};
}

Designs six() {
  const Path curved = {{.52, 0},   {.28, .14}, {.1, .41},  {.04, .7},  {.13, .93}, {.33, 1},
                       {.54, .88}, {.56, .66}, {.39, .52}, {.19, .58}, {.06, .74}};
  const Path leaning = {{.38, 0},   {.21, .28}, {.08, .6},  {.09, .88}, {.28, 1},
                        {.52, .92}, {.57, .72}, {.43, .57}, {.24, .61}, {.09, .78}};
  return {{curved}, {leaning}};
}

Designs seven() {
  const Path plain = {{.02, .04}, {.3, .03}, {.6, 0}, {.6, 0}, {.46, .3}, {.34, .62}, {.27, 1}};
  const Path bar = {{.16, .52}, {.38, .5}, {.58, .48}};
  const Path hooked = {{.02, .14}, {.04, .03}, {.04, .03}, {.3, .03}, {.61, .01},
                       {.61, .01}, {.44, .3},  {.31, .62}, {.25, 1}};
  return {{plain}, {plain, bar}, {hooked}};
}

Designs eight() {
  const Path crossing = {{.53, .15}, {.34, 0},   {.11, .1},  {.13, .32}, {.34, .48},
                         {.55, .67}, {.56, .89}, {.31, 1},   {.06, .89}, {.1, .66},
                         {.34, .46}, {.51, .3},  {.53, .15}, {.42, .04}};
  const Path upper = {{.32, .01}, {.13, .09}, {.11, .33}, {.32, .45},
                      {.52, .34}, {.5, .1},   {.32, .01}, {.22, .04}};
  const Path lower = {{.32, .45}, {.09, .56}, {.06, .85}, {.32, 1},
                      {.57, .86}, {.55, .57}, {.32, .45}, {.2, .49}};
  return {{crossing}, {upper, lower}};
}

Designs nine() {
  const Path straight = {{.54, .2}, {.4, .01},  {.16, .06}, {.06, .28}, {.17, .48},
                         {.4, .45}, {.54, .22}, {.54, .22}, {.53, .6},  {.49, 1}};
  const Path tailed = {{.56, .2},  {.4, 0},    {.14, .07}, {.05, .29}, {.19, .49}, {.42, .44},
                       {.56, .22}, {.56, .22}, {.58, .6},  {.46, .92}, {.22, 1},   {.05, .91}};
  return {{straight}, {tailed}};
}

}  // namespace

std::span<const DigitDesign> digit_designs(int digit) {
  static const std::array<Designs, 10> designs = {zero(), one(), two(),   three(), four(),
                                                  five(), six(), seven(), eight(), nine()};
  return designs[static_cast<std::size_t>(digit)];
}

}  // namespace tinta::data
