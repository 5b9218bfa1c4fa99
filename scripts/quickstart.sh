#!/usr/bin/env bash
# Trains for three minutes on digits that tinta draws itself, and samples new ones. A run that was
# interrupted is continued, and one that is finished is used as it is. One that cannot be continued,
# because it is of another version or other settings are asked for, is kept under another name.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly TINTA=$BUILD/bin/tinta
readonly RUN=runs/quickstart
readonly PICTURE=$RUN/digits.png

main() {
  local resume=()
  if [[ -f $RUN/config.toml ]]; then resume=(--resume); fi
  echo "[train] preset glyphs, 3 minutes, into $RUN"
  local code=0
  "$TINTA" train glyphs --out "$RUN" --minutes 3 ${resume[@]+"${resume[@]}"} || code=$?
  if [[ $code == 2 && ${#resume[@]} -gt 0 ]]; then
    local kept=1
    while [[ -e $RUN-$kept ]]; do kept=$((kept + 1)); done
    mv "$RUN" "$RUN-$kept"
    echo "[train] starting over; the run that was in $RUN is in $RUN-$kept now"
    "$TINTA" train glyphs --out "$RUN" --minutes 3
  elif [[ $code != 0 ]]; then
    exit "$code"
  fi
  echo "[sample] eight of each digit"
  "$TINTA" sample "$RUN" --per-class 8 --seed 1 -o "$PICTURE" --force
  cat <<EOF

The pictures:
  $PWD/$PICTURE     digits that the network has drawn
  $PWD/$RUN/samples   how they came about during training

What to type next:
  $TINTA sample $RUN --class 7 -n 16 -o sevens.png    sixteen sevens
  $TINTA denoise $RUN --t 50,100,200                  noise removed from digits it has not seen
  $TINTA train mnist --data FOLDER --out runs/mnist   the same on MNIST's original files
  $TINTA --help                                       everything else
EOF
}

main
