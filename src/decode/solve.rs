//! Small least-squares problems: sums of weighted equations, solved by Cholesky's method.

/// Normal equations of `N` unknowns.
#[derive(Debug, Clone)]
pub(super) struct Normal<const N: usize> {
    matrix: [[f64; N]; N],
    right: [f64; N],
}

impl<const N: usize> Normal<N> {
    pub(super) fn new() -> Self {
        Self { matrix: [[0.0; N]; N], right: [0.0; N] }
    }

    /// The equation `row . unknowns = value`.
    #[inline]
    pub(super) fn add(&mut self, row: &[f32; N], value: f32, weight: f32) {
        for i in 0..N {
            let scaled = f64::from(weight * row[i]);
            for (sum, value) in self.matrix[i][..=i].iter_mut().zip(row) {
                *sum += scaled * f64::from(*value);
            }
            self.right[i] += scaled * f64::from(value);
        }
    }

    /// The unknowns, each pulled towards zero by `ridge` of the mean weight of the unknowns.
    pub(super) fn solve(mut self, ridge: f64) -> Option<[f32; N]> {
        let mean = (0..N).map(|i| self.matrix[i][i]).sum::<f64>() / N as f64;
        for i in 0..N {
            self.matrix[i][i] += ridge * mean;
        }
        for i in 0..N {
            for j in 0..=i {
                let sum = self.matrix[i][j] - (0..j).map(|k| self.matrix[i][k] * self.matrix[j][k]).sum::<f64>();
                if i == j {
                    if sum <= 1e-12 * mean {
                        return None;
                    }
                    self.matrix[i][i] = sum.sqrt();
                } else {
                    self.matrix[i][j] = sum / self.matrix[j][j];
                }
            }
        }
        let mut x = self.right;
        for i in 0..N {
            x[i] = (x[i] - (0..i).map(|k| self.matrix[i][k] * x[k]).sum::<f64>()) / self.matrix[i][i];
        }
        for i in (0..N).rev() {
            x[i] = (x[i] - (i + 1..N).map(|k| self.matrix[k][i] * x[k]).sum::<f64>()) / self.matrix[i][i];
        }
        let x = x.map(|v| v as f32);
        x.iter().all(|v| v.is_finite()).then_some(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_three_points() {
        let mut sums = Normal::<2>::new();
        for (x, y) in [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)] {
            sums.add(&[x, 1.0], y, 1.0);
        }
        let [slope, start] = sums.solve(0.0).unwrap();
        assert!((slope - 2.0).abs() < 1e-5 && (start - 1.0).abs() < 1e-5);
    }

    #[test]
    fn what_has_no_answer_gets_none() {
        let mut sums = Normal::<2>::new();
        sums.add(&[1.0, 1.0], 1.0, 1.0);
        assert_eq!(sums.solve(0.0), None);
    }
}
