import Glibc
import MonitorCore

/// The loss is NaN or infinite: critical at once.
struct LossNotFinite: RunRule {
    static let id = RuleID.lossNotFinite
    static let inputNames = ["loss"]
    static let parameters: [RuleParameter<LossNotFinite>] = []
    static let start = false
    var isEnabled = true

    func judge(_ values: StepValues, _ run: RunState, _ state: inout Bool) -> Judgement? {
        let loss = values.scalar(values.columns.loss)
        if MissingValue.isMissing(loss) { return nil }
        return Judgement(isCritical: !loss.isFinite, isAbnormal: !loss.isFinite)
    }

    func describe(_ values: StepValues, _ run: RunState, _ state: Bool, _ level: AlertLevel) -> Finding {
        let loss = values.scalar(values.columns.loss)
        return Finding(
            metric: "loss", value: loss, comparison: .notFinite, baseline: run.lastLoss ?? MissingValue.number,
            inputs: [Alert.Input(name: "loss", value: loss)])
    }
}

/// The loss of one report is far above what it was: z = (loss - m) / max(s, 4 % of the absolute first loss) > 6 and
/// loss over 3 times the largest of the last 50 losses, for m > 0 and from report 10 on. A bad batch lasts one
/// report, so the warning is at once. Losses of small batches have heavy tails: against the mean alone, healthy runs
/// with batches of 8 reach z = 17 and 23 times the mean.
struct LossSpike: RunRule {
    static let id = RuleID.lossSpike
    static let inputNames = ["loss"]
    static let warmUp = 10
    static let parameters: [RuleParameter<LossSpike>] = [.number("score", \.score), .number("factor", \.factor)]

    struct State: Sendable {
        fileprivate var baseline = Baseline()
        /// The largest of the last losses before the present one.
        fileprivate var largest = 0.0
        /// Of the negative losses.
        fileprivate var minima = SlidingMinimum()
    }
    static let start = State()
    var isEnabled = true
    var score = 6.0
    var factor = 3.0

    func judge(_ values: StepValues, _ run: RunState, _ state: inout State) -> Judgement? {
        let loss = values.scalar(values.columns.loss)
        guard loss.isFinite else { return nil }
        let floor = max(0.04 * abs(run.firstLoss ?? loss), .leastNormalMagnitude)
        state.largest = -state.minima.minimum
        let isSpike =
            state.baseline.count >= Self.warmUp && state.baseline.mean > 0 && loss > factor * state.largest
            && state.baseline.score(loss, floor: floor) > score
        state.minima.note(-loss)
        state.baseline.add(loss, floor: floor)
        return Judgement(isWarning: isSpike, isAbnormal: isSpike)
    }

    func describe(_ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel) -> Finding {
        let loss = values.scalar(values.columns.loss)
        return Finding(
            metric: "loss", value: loss, comparison: .above, threshold: [factor * state.largest],
            baseline: state.largest,
            inputs: [Alert.Input(name: "loss", value: loss)])
    }
}

/// The loss rises for long: smoothed = 0.9 smoothed + 0.1 loss, best its minimum, first the first finite loss;
/// d = (smoothed - best) / max(first - best, 0.1 of the absolute first) > 0.5 and smoothed > 2 best (best below 1e-3 of
/// first, or negative: d alone). For 10 reports a warning; for 50, or for 10 with the loss above the first, critical.
/// Restarts of the learning rate are normal: not within 20 reports of a rise of it.
struct LossDiverging: RunRule {
    static let id = RuleID.lossDiverging
    static let inputNames = ["loss", "lr"]
    static let parameters: [RuleParameter<LossDiverging>] = [
        .number("distance", \.distance), .reports("warning_for", \.warningFor), .reports("critical_for", \.criticalFor),
        .reports("after_rise", \.afterRise),
    ]

    struct State: Sendable {
        fileprivate var smoothed = Double.nan
        fileprivate var best = Double.infinity
        fileprivate var streak = Streak()
    }
    static let start = State()
    var isEnabled = true
    var distance = 0.5
    var warningFor = 10
    var criticalFor = 50
    var afterRise = 20

    func judge(_ values: StepValues, _ run: RunState, _ state: inout State) -> Judgement? {
        let loss = values.scalar(values.columns.loss)
        guard loss.isFinite, let first = run.firstLoss else { return nil }
        state.smoothed = state.smoothed.isNaN ? loss : 0.9 * state.smoothed + 0.1 * loss
        state.best = min(state.best, state.smoothed)
        let relative = (state.smoothed - state.best) / max(first - state.best, 0.1 * abs(first))
        let isFar = state.best < 1e-3 * first || state.smoothed > 2 * state.best
        let isDiverging = relative > distance && isFar && run.reportsSinceRise > afterRise
        let isWarning = state.streak.note(isDiverging, for: warningFor)
        return Judgement(
            isWarning: isWarning,
            isCritical: Int(state.streak.count) >= criticalFor || (isWarning && loss > first), isAbnormal: isDiverging)
    }

    func describe(_ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel) -> Finding {
        let first = run.firstLoss ?? state.best
        var inputs = [Alert.Input(name: "loss", value: values.scalar(values.columns.loss))]
        if let rate = run.learningRate { inputs.append(Alert.Input(name: "lr", value: rate)) }
        return Finding(
            metric: "loss", value: state.smoothed, comparison: .above,
            threshold: [state.best + distance * max(first - state.best, 0.1 * abs(first))], baseline: state.best,
            inputs: inputs, inputsMissing: run.learningRate == nil ? ["lr"] : [])
    }
}

/// The norm of all gradients is far above the largest so far, as `ExplodingGradient` judges a layer: 5 times it a
/// warning at once, 20 times it in 3 of 10 reports critical; 1 000 times the slow reference as 20 times the largest.
struct GradNormSpike: RunRule {
    static let id = RuleID.gradNormSpike
    static let inputNames = ["grad_norm"]
    static let warmUp = ExplosionState.warmUp
    static let parameters: [RuleParameter<GradNormSpike>] = [
        .number("warning_factor", \.limits.weakFactor), .number("critical_factor", \.limits.strongFactor),
        .number("slow_factor", \.limits.slowFactor), .reports("critical_of_ten", \.criticalOfTen),
    ]
    static let start = ExplosionState()
    var isEnabled = true
    var limits = ExplosionLimits.usual
    var criticalOfTen = 3

    func judge(_ values: StepValues, _ run: RunState, _ state: inout ExplosionState) -> Judgement? {
        let norm = values.scalar(values.columns.gradNorm)
        guard norm.isFinite, norm >= 0, !run.isSkipped else { return nil }
        let growth = state.note(norm, limits)
        return Judgement(
            isWarning: growth.isWeak, isCritical: growth.isStrong && state.strong.count >= criticalOfTen,
            isAbnormal: growth.isAbnormal)
    }

    func describe(_ values: StepValues, _ run: RunState, _ state: ExplosionState, _ level: AlertLevel) -> Finding {
        let norm = values.scalar(values.columns.gradNorm)
        return Finding(
            metric: "grad_norm", value: norm, comparison: .above, threshold: [state.threshold(of: norm, limits)],
            baseline: state.baseline, inputs: [Alert.Input(name: "grad_norm", value: norm)])
    }
}
