package awscredentialsprovider

import "github.com/aws/aws-sdk-go-v2/aws"

// CredentialsProvider is aws.CredentialsProvider, as it stands.
type CredentialsProvider = aws.CredentialsProvider
