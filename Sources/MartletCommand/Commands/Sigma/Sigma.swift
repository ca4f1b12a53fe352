import ArgumentParser

struct Sigma: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Gather the second moment (Sigma) of every layer's input.",
        discussion: """
            `martlet sigma MODEL DATA -o FILE` gathers; `martlet help sigma gather` has its options. `merge` adds up \
            what several machines gathered.
            """,
        subcommands: [GatherSigma.self, MergeSigma.self, SigmaCost.self],
        defaultSubcommand: GatherSigma.self)
}
