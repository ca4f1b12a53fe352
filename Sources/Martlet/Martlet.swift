// One import brings everything that the rooms below make public.
@_exported import MartletCompression
@_exported import MartletDecompositions
@_exported import MartletEvaluation
@_exported import MartletFiles
@_exported import MartletImages
@_exported import MartletInference
@_exported import MartletLinearAlgebra
@_exported import MartletNetworks
@_exported import MartletNumPyFormat
@_exported import MartletONNXFormat
@_exported import MartletParallelism
@_exported import MartletQuantization
@_exported import MartletSafetensorsFormat
@_exported import MartletStatistics
@_exported import MartletTensors

/// The version of Martlet, which is written into the files it makes.
public enum MartletVersion {
    /// Major, minor and patch.
    public static let current = "0.1.0"
}
