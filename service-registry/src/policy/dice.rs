//! Random numbers that a test can foretell.

/// SplitMix64 (Steele, Lea and Flood 2014): 64 bits of state, good enough to spread waits and choices.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same seed throws the same numbers.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Throws that nobody can foretell.
    pub fn new() -> Self {
        Self(uuid::Uuid::new_v4().as_u64_pair().1)
    }

    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; zero when `end` is zero.
    pub fn below(&mut self, end: usize) -> usize {
        match u64::try_from(end) {
            Ok(end @ 1..) => usize::try_from(self.throw() % end).unwrap_or(0),
            _ => 0,
        }
    }

    /// A number from 0 up to but not including 1.
    pub fn share(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Default for Dice {
    fn default() -> Self {
        Self::new()
    }
}
